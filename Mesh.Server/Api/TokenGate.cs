using System.Security.Cryptography;
using System.Text;
using Mesh.Server.Hosting.Options;
using Microsoft.Extensions.Options;
using Microsoft.Net.Http.Headers;

namespace Mesh.Server.Api;

/// <summary>Asks for Mesh__Token, when there is one, of all HTTP and WebSocket requests but health probes.</summary>
internal sealed class TokenGate(IOptions<MeshOptions> options)
{
    private const string Scheme = "Bearer ";

    private readonly byte[]? _expected = options.Value.Token is { } token ? Hash(token) : null;

    public Task CheckAsync(HttpContext context, RequestDelegate next)
    {
        if (_expected is null || IsProbe(context.Request.Path) || IsRight(context.Request.Headers.Authorization.ToString()))
        {
            return next(context);
        }

        context.Response.Headers[HeaderNames.WWWAuthenticate] = "Bearer";
        return Results.Problem(
            "This server wants its token: Authorization: Bearer <token>.",
            statusCode: StatusCodes.Status401Unauthorized,
            title: "Not authorized.").ExecuteAsync(context);
    }

    private static bool IsProbe(PathString path) => path == "/health" || path == "/alive";

    private static byte[] Hash(string token) => SHA256.HashData(Encoding.UTF8.GetBytes(token));

    // Hashes have one length and nothing in common, so that the time taken tells nothing of the token.
    private bool IsRight(string header) =>
        header.StartsWith(Scheme, StringComparison.OrdinalIgnoreCase)
        && CryptographicOperations.FixedTimeEquals(Hash(header[Scheme.Length..].Trim()), _expected);
}
