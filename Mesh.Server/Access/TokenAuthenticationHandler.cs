using System.Text.Encodings.Web;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;

namespace Mesh.Server.Access;

/// <summary>
/// Authenticates requests by their token (docs/security.md, "The tokens"). Without configured tokens it authenticates all requests except those of other sites' web pages: a browser
/// could send them to a server that only its own machine can reach. <see cref="AccessRefusals"/> answers requests that are not authenticated or not authorized.
/// </summary>
internal sealed class TokenAuthenticationHandler(
    IOptionsMonitor<AuthenticationSchemeOptions> options, UrlEncoder encoder, MeshTokens tokens, FailedTokenLimiter failed, AccessRefusals refusals)
    : AuthenticationHandler<AuthenticationSchemeOptions>(options, NullLoggerFactory.Instance, encoder) // The base class logs each refused request; AccessRefusals bounds the log.
{
    public const string SchemeName = "Bearer";

    private const string Prefix = "Bearer ";

    protected override Task<AuthenticateResult> HandleAuthenticateAsync() => Task.FromResult(FindGrant() is { } grant ? Succeed(grant) : AuthenticateResult.NoResult());

    protected override Task HandleChallengeAsync(AuthenticationProperties properties) =>
        tokens.AllowsAnonymous ? refusals.RefuseForeignPageAsync(Context) : refusals.RefuseTokenAsync(Context);

    protected override Task HandleForbiddenAsync(AuthenticationProperties properties) => refusals.RefuseRoleAsync(Context, Context.Features.GetRequiredFeature<TokenGrant>());

    private TokenGrant? FindGrant()
    {
        if (tokens.AllowsAnonymous)
        {
            return IsFromAnotherSite() ? null : TokenGrant.Anonymous;
        }

        // While an address is locked out, its valid tokens are refused too. Otherwise the response would show which token is valid.
        var header = Request.Headers.Authorization.ToString();
        return header.StartsWith(Prefix, StringComparison.OrdinalIgnoreCase) && failed.GetLockoutRemaining(Context.Connection.RemoteIpAddress) == TimeSpan.Zero
            ? tokens.Find(header[Prefix.Length..].Trim())
            : null;
    }

    private bool IsFromAnotherSite()
    {
        var origin = Request.Headers.Origin.ToString();
        return origin.Length > 0 && !origin.EndsWith($"://{Request.Host}", StringComparison.OrdinalIgnoreCase);
    }

    private AuthenticateResult Succeed(TokenGrant grant)
    {
        // A WebSocket's session checks the grant for each message.
        Context.Features.Set(grant);
        return AuthenticateResult.Success(new AuthenticationTicket(grant.Principal, SchemeName));
    }
}

internal static class TokenAuthenticationExtensions
{
    /// <summary>The policy of WebSockets. The session authorizes each message by its role. All other requests fall under the fallback policy, which is for clients.</summary>
    public const string SessionPolicy = "Session";

    /// <summary>Adds the scheme, its services and the policies. AddAuthentication is not used, because it adds data protection, which writes keys to disk.</summary>
    public static void AddTokenAuthentication(this IServiceCollection services)
    {
        services.AddSingleton<MeshTokens>();
        services.AddSingleton<FailedTokenLimiter>();
        services.AddSingleton<AccessRefusals>();
        services.AddWebEncoders();
        services.AddTransient<TokenAuthenticationHandler>();
        services.AddAuthenticationCore(authentication =>
        {
            authentication.AddScheme<TokenAuthenticationHandler>(TokenAuthenticationHandler.SchemeName, displayName: null);
            authentication.DefaultScheme = TokenAuthenticationHandler.SchemeName;
        });
        services.AddAuthorizationBuilder()
            .SetFallbackPolicy(new AuthorizationPolicyBuilder().RequireRole(nameof(TokenRoles.Client)).Build())
            .AddPolicy(SessionPolicy, policy => policy.RequireRole(nameof(TokenRoles.Worker), nameof(TokenRoles.Peer)));
    }
}
