using System.Text.Json.Serialization;
using Mesh.Protocol;
using Mesh.Server.Access;
using Mesh.Server.Map;
using Microsoft.OpenApi;

namespace Mesh.Server.Api;

internal static class ApiEndpoints
{
    /// <summary>Maps all endpoints of the HTTP API and the OpenAPI document.</summary>
    public static void MapMeshApi(this WebApplication app)
    {
        app.MapOpenApi();
        var api = app.MapGroup("").AddEndpointFilter<RouteGroupBuilder, AvailabilityFilter>().ProducesCommonProblems();
        api.MapTasks();
        api.MapAccounts();
        api.MapStatus();
        api.MapOperations();
        api.MapMap();
    }
}

/// <summary>The JSON serialization of the HTTP API's types.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, Converters = [typeof(RawJsonConverter)])]
[JsonSerializable(typeof(TaskRequest))]
[JsonSerializable(typeof(TaskRequest[]))]
[JsonSerializable(typeof(AcceptedResponse))]
[JsonSerializable(typeof(TaskResponse))]
[JsonSerializable(typeof(TaskResponse[]))]
[JsonSerializable(typeof(AccountResponse))]
[JsonSerializable(typeof(AccountRequest))]
[JsonSerializable(typeof(StatusResponse))]
[JsonSerializable(typeof(PauseResponse))]
[JsonSerializable(typeof(ReturnResponse))]
[JsonSerializable(typeof(Map.MapSettings))]
[JsonSerializable(typeof(Microsoft.AspNetCore.Mvc.ProblemDetails))]
internal sealed partial class ApiJson : JsonSerializerContext;

/// <summary>Adds to the OpenAPI document at /openapi/v1.json what the endpoints' metadata does not contain.</summary>
internal static class OpenApiDocumentExtensions
{
    private const string Scheme = "token";

    /// <summary>Adds the OpenAPI document, with a bearer security scheme when requests need a token.</summary>
    public static void AddMeshOpenApi(this IServiceCollection services) => services.AddOpenApi(openApi => openApi.AddDocumentTransformer((document, context, _) =>
    {
        if (!context.ApplicationServices.GetRequiredService<MeshTokens>().AllowsAnonymous)
        {
            document.AddComponent(Scheme, new OpenApiSecurityScheme { Type = SecuritySchemeType.Http, Scheme = "bearer", Description = "The mesh's token." });
            document.Security = [new() { [new OpenApiSecuritySchemeReference(Scheme, document)] = [] }];
        }

        return Task.CompletedTask;
    }));

    /// <summary>Describes the errors that authentication, authorization and <see cref="AvailabilityFilter"/> return for every endpoint.</summary>
    public static RouteGroupBuilder ProducesCommonProblems(this RouteGroupBuilder group) => group
        .ProducesProblem(StatusCodes.Status401Unauthorized)
        .ProducesProblem(StatusCodes.Status403Forbidden)
        .ProducesProblem(StatusCodes.Status429TooManyRequests)
        .ProducesProblem(StatusCodes.Status503ServiceUnavailable);

    /// <summary>Describes a body that is one <typeparamref name="T"/> or an array of them.</summary>
    public static RouteHandlerBuilder AcceptsOneOrMany<T>(this RouteHandlerBuilder endpoint)
        where T : notnull
        => endpoint.Accepts<T[]>("application/json").AddOpenApiOperationTransformer((operation, _, _) =>
        {
            foreach (var body in operation.RequestBody!.Content!.Values)
            {
                body.Schema = new OpenApiSchema { OneOf = [body.Schema!.Items!, body.Schema] };
            }

            return Task.CompletedTask;
        });
}
