using System.Runtime.InteropServices;
using System.Text.Json;
using Mesh.Accounts;
using Mesh.Protocol;

namespace Mesh.Server.Api;

/// <summary>A balance to set.</summary>
internal sealed record AccountBody(decimal Balance);

internal sealed record AccountAnswer(string User, decimal Balance);

internal static class AccountEndpoints
{
    private const int MaxBodyBytes = 4096;

    public static void MapAccounts(this IEndpointRouteBuilder app)
    {
        app.MapPut("/accounts/{user}", SetAsync)
            .Accepts<AccountBody>("application/json")
            .WithSummary("Create an account, or set its balance.")
            .Produces<AccountAnswer>()
            .Produces<AccountAnswer>(StatusCodes.Status201Created)
            .ProducesProblem(StatusCodes.Status400BadRequest)
            .ProducesProblem(StatusCodes.Status413PayloadTooLarge);
        app.MapGet("/accounts/{user}", FindAsync)
            .WithSummary("Read an account.")
            .Produces<AccountAnswer>()
            .ProducesProblem(StatusCodes.Status400BadRequest)
            .ProducesProblem(StatusCodes.Status404NotFound);
    }

    private static async Task<IResult> SetAsync(string user, HttpContext context, ILedger ledger)
    {
        if (AccountRules.CheckUser(user) is { } wrongUser)
        {
            return Problems.BadField("user", wrongUser);
        }

        var (balance, fault) = await ReadBalanceAsync(context);
        if (fault is not null)
        {
            return fault;
        }

        if (AccountRules.CheckBalance(balance) is { } wrong)
        {
            return Problems.BadField("balance", wrong);
        }

        var created = await ledger.SetBalanceAsync(user, balance, context.RequestAborted);
        return Results.Json(
            new AccountAnswer(user, balance), ApiJson.Default.AccountAnswer, statusCode: created ? StatusCodes.Status201Created : StatusCodes.Status200OK);
    }

    private static async Task<IResult> FindAsync(string user, ILedger ledger, CancellationToken cancellationToken) =>
        AccountRules.CheckUser(user) is { } wrong ? Problems.BadField("user", wrong)
        : await ledger.FindBalanceAsync(user, cancellationToken) is { } balance ? Results.Json(new AccountAnswer(user, balance), ApiJson.Default.AccountAnswer)
        : Problems.NotFound($"There is no account {user}.");

    private static async Task<(decimal Balance, IResult? Fault)> ReadBalanceAsync(HttpContext context)
    {
        try
        {
            if (await RequestBody.ReadAsync(context.Request, MaxBodyBytes, context.RequestAborted) is not { } read)
            {
                return (0, TooLarge());
            }

            using var bytes = read;
            var json = new Utf8JsonReader(bytes.Span);
            using var body = JsonDocument.ParseValue(ref json);

            // Throws on anything that follows.
            json.Read();
            return body.RootElement.ValueKind != JsonValueKind.Object ? (0, Problems.BadField("body", "must be an object"))
                : !body.RootElement.TryGetProperty("balance", out var balance) ? (0, Problems.BadField("balance", "is missing"))
                : balance.ValueKind != JsonValueKind.Number ? (0, Problems.BadField("balance", "must be a number"))
                : !balance.TryGetDecimal(out var value) ? (0, Problems.BadField("balance", "is too large"))
                : JsonNumbers.CountDecimals(JsonMarshal.GetRawUtf8Value(balance)) > AccountRules.Decimals ? (0, Problems.BadField("balance", AccountRules.TooManyDecimals))
                : value == 0 ? (0m, null)
                : (value, null);
        }
        catch (JsonException)
        {
            return (0, Problems.BadField("body", "is no JSON"));
        }
        catch (InvalidOperationException)
        {
            // What the JSON reader throws for a name that is no UTF-8 or has half a surrogate pair.
            return (0, Problems.BadField("body", "is no valid Unicode"));
        }
        catch (BadHttpRequestException exception) when (exception.StatusCode == StatusCodes.Status413PayloadTooLarge)
        {
            return (0, TooLarge());
        }
    }

    private static IResult TooLarge() => Problems.TooLarge("body", $"must not be larger than {MaxBodyBytes} bytes");
}
