using Mesh.Server.Access;
using Microsoft.OpenApi;

namespace Mesh.Server.Api;

/// <summary>What the document at /openapi/v1.json tells besides the endpoints' own metadata.</summary>
internal static class OpenApiDocumentExtensions
{
    private const string Scheme = "token";

    /// <summary>Describes the API, and the token where one is asked for.</summary>
    public static void AddMeshOpenApi(this IServiceCollection services) => services.AddOpenApi(openApi => openApi.AddDocumentTransformer((document, context, _) =>
    {
        if (!context.ApplicationServices.GetRequiredService<MeshTokens>().AllowsAnonymous)
        {
            document.AddComponent(Scheme, new OpenApiSecurityScheme { Type = SecuritySchemeType.Http, Scheme = "bearer", Description = "The mesh's token." });
            document.Security = [new() { [new OpenApiSecuritySchemeReference(Scheme, document)] = [] }];
        }

        return Task.CompletedTask;
    }));

    /// <summary>Describes the errors that authentication, authorization and <see cref="AvailabilityFilter"/> answer before any endpoint.</summary>
    public static RouteGroupBuilder ProducesCommonProblems(this RouteGroupBuilder group) => group
        .ProducesProblem(StatusCodes.Status401Unauthorized)
        .ProducesProblem(StatusCodes.Status403Forbidden)
        .ProducesProblem(StatusCodes.Status429TooManyRequests)
        .ProducesProblem(StatusCodes.Status503ServiceUnavailable);

    /// <summary>The body is one <typeparamref name="T"/> or an array of them.</summary>
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
