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
        api.MapSchedules();
        api.MapDeadLetters();
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
[JsonSerializable(typeof(CountResponse))]
[JsonSerializable(typeof(TaskResponse))]
[JsonSerializable(typeof(TaskResponse[]))]
[JsonSerializable(typeof(ScheduleRequest))]
[JsonSerializable(typeof(ScheduleResponse))]
[JsonSerializable(typeof(ScheduleResponse[]))]
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

    /// <summary>Describes the parameter wait as a number. The endpoint reads it as text, so that its error names it.</summary>
    public static RouteHandlerBuilder WithWaitParameter(this RouteHandlerBuilder endpoint) => endpoint.AddOpenApiOperationTransformer((operation, _, _) =>
    {
        var wait = (OpenApiParameter)operation.Parameters!.Single(parameter => parameter.Name == "wait");
        wait.Description = "The longest time to wait until the task is settled, in seconds.";
        wait.Schema = new OpenApiSchema { Type = JsonSchemaType.Integer, Minimum = "0", Maximum = $"{TaskWaitReader.MaxWait}", Default = 0 };
        return Task.CompletedTask;
    });

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
