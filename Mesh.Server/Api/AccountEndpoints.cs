using System.Text.Json.Serialization;
using Mesh.Accounts;

namespace Mesh.Server.Api;

// For the OpenAPI document, which has the summary as its description. AccountBodyReader reads the body.

/// <summary>A balance to set.</summary>
[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
internal sealed record AccountRequest(decimal Balance);

internal sealed record AccountResponse(string User, decimal Balance);

/// <summary>The endpoints that create, set and read accounts.</summary>
internal static class AccountEndpoints
{
    private const int MaxBodyBytes = 4096;

    public static void MapAccounts(this IEndpointRouteBuilder app)
    {
        app.MapPut("/accounts/{user}", SetAsync)
            .Accepts<AccountRequest>("application/json")
            .WithSummary("Create an account, or set its balance.")
            .Produces<AccountResponse>()
            .Produces<AccountResponse>(StatusCodes.Status201Created)
            .ProducesProblem(StatusCodes.Status400BadRequest)
            .ProducesProblem(StatusCodes.Status413PayloadTooLarge);
        app.MapGet("/accounts/{user}", FindAsync)
            .WithSummary("Read an account.")
            .Produces<AccountResponse>()
            .ProducesProblem(StatusCodes.Status400BadRequest)
            .ProducesProblem(StatusCodes.Status404NotFound);
    }

    private static async Task<IResult> SetAsync(string user, HttpContext context, ILedger ledger)
    {
        if (AccountRules.CheckUser(user) is { } wrongUser)
        {
            return Problems.BadField("user", wrongUser);
        }

        decimal balance;
        try
        {
            if (await RequestBody.ReadAsync(context.Request, MaxBodyBytes, context.RequestAborted) is not { } read)
            {
                return TooLarge();
            }

            using var body = read;
            (balance, var fault) = AccountBodyReader.Read(body.Json);
            if (fault is { } wrong)
            {
                return Problems.BadField(wrong.Field, wrong.Detail);
            }
        }
        catch (BadHttpRequestException exception) when (exception.StatusCode == StatusCodes.Status413PayloadTooLarge)
        {
            return TooLarge();
        }

        var created = await ledger.SetBalanceAsync(user, balance, context.RequestAborted);
        return Results.Json(
            new AccountResponse(user, balance), ApiJson.Default.AccountResponse, statusCode: created ? StatusCodes.Status201Created : StatusCodes.Status200OK);
    }

    private static async Task<IResult> FindAsync(string user, ILedger ledger, CancellationToken cancellationToken) =>
        AccountRules.CheckUser(user) is { } wrong ? Problems.BadField("user", wrong)
        : await ledger.FindBalanceAsync(user, cancellationToken) is { } balance ? Results.Json(new AccountResponse(user, balance), ApiJson.Default.AccountResponse)
        : Problems.NotFound($"There is no account {user}.");

    private static IResult TooLarge() => Problems.TooLarge("body", $"must not be larger than {MaxBodyBytes} bytes");
}
