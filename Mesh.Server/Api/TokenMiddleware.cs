using System.Globalization;
using Mesh.Server.Access;
using Mesh.Server.Hosting.Options;
using Mesh.Server.Telemetry;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Options;
using Microsoft.Net.Http.Headers;

namespace Mesh.Server.Api;

/// <summary>
/// Asks for a token, when there is one, of all HTTP and WebSocket requests but health probes. Without one, it turns away what web pages of other
/// sites make a browser ask, which is how a page could reach a server that only this machine can.
/// </summary>
internal sealed partial class TokenMiddleware
{
    private const string Scheme = "Bearer ";

    private readonly MeshTokens _tokens;
    private readonly FailedTokenLimiter _failed;
    private readonly AccessMetrics _metrics;
    private readonly ILogger _logger;
    private readonly LogRateLimiter _logLimiter;

    public TokenMiddleware(MeshTokens tokens, IOptions<MeshOptions> options, AccessMetrics metrics, TimeProvider time, ILogger<TokenMiddleware> logger)
    {
        _tokens = tokens;
        _failed = new(options.Value.Sessions.MaxFailedTokens, time);
        _metrics = metrics;
        _logger = logger;
        _logLimiter = new(logger, time);
    }

    public Task CheckAsync(HttpContext context, RequestDelegate next) =>
        IsProbe(context) ? next(context)
        : _tokens.AllowsAnonymous ? CheckOriginAsync(context, next)
        : CheckTokenAsync(context, next);

    // A WebSocket may be asked for on any path, and is no probe on any.
    private static bool IsProbe(HttpContext context) =>
        (context.Request.Path == "/health" || context.Request.Path == "/alive")
        && (HttpMethods.IsGet(context.Request.Method) || HttpMethods.IsHead(context.Request.Method))
        && context.Features.Get<IHttpUpgradeFeature>() is not { IsUpgradableRequest: true };

    private Task CheckTokenAsync(HttpContext context, RequestDelegate next)
    {
        // Locked out is locked out: a right token that were taken would tell that it is right.
        var address = context.Connection.RemoteIpAddress;
        if (_failed.GetLockoutRemaining(address) is { Ticks: > 0 } wait)
        {
            if (_logLimiter.TryAcquire())
            {
                LogLockedOut($"{address}");
            }

            context.Response.Headers.RetryAfter = Math.Ceiling(wait.TotalSeconds).ToString(CultureInfo.InvariantCulture);
            return RefuseAsync(
                context, StatusCodes.Status429TooManyRequests, "Too many wrong tokens.", "Too many wrong tokens came from this address (Mesh__Sessions__MaxFailedTokens).");
        }

        var header = context.Request.Headers.Authorization.ToString();
        if (Find(header) is { } grant)
        {
            return CheckRoleAsync(context, grant, next);
        }

        // Who shows none guesses nothing: the map's page asks before it has one.
        if (header.Length > 0)
        {
            _failed.Add(address);
        }

        if (_logLimiter.TryAcquire())
        {
            LogRefused($"{address}");
        }

        context.Response.Headers[HeaderNames.WWWAuthenticate] = "Bearer";
        return RefuseAsync(
            context, StatusCodes.Status401Unauthorized, "Not authorized.", "This server wants its token: Authorization: Bearer <token>.");
    }

    // What a WebSocket peer may say is for its session to know, message by message.
    private Task CheckRoleAsync(HttpContext context, TokenGrant grant, RequestDelegate next)
    {
        context.Features.Set(grant);
        var isPeer = context.Features.Get<IHttpUpgradeFeature>() is { IsUpgradableRequest: true };
        if ((grant.Roles & (isPeer ? TokenRoles.Worker | TokenRoles.Peer : TokenRoles.Client)) != 0)
        {
            return next(context);
        }

        if (_logLimiter.TryAcquire())
        {
            LogRoleDenied($"{context.Connection.RemoteIpAddress}", grant.Roles);
        }

        return RefuseAsync(
            context, StatusCodes.Status403Forbidden, "Not with this token.",
            isPeer ? "This token is one of Mesh__AcceptedTokens__Clients: it permits HTTP requests, not what workers and servers do."
                : $"This token permits what a {grant.Roles.ToString().ToLowerInvariant()} does, not HTTP requests: those take one of Mesh__AcceptedTokens__Clients.");
    }

    private Task CheckOriginAsync(HttpContext context, RequestDelegate next)
    {
        var origin = context.Request.Headers.Origin.ToString();
        if (origin.Length == 0 || origin.EndsWith($"://{context.Request.Host}", StringComparison.OrdinalIgnoreCase))
        {
            return next(context);
        }

        if (_logLimiter.TryAcquire())
        {
            LogForeignOrigin($"{context.Connection.RemoteIpAddress}");
        }

        return RefuseAsync(
            context, StatusCodes.Status403Forbidden, "Not for other sites' pages.", "Origin: a web page of another site may not ask a server without a token.");
    }

    private Task RefuseAsync(HttpContext context, int status, string title, string detail)
    {
        _metrics.Unauthorized(status);
        return Results.Problem(detail, statusCode: status, title: title).ExecuteAsync(context);
    }

    private TokenGrant? Find(string header) => header.StartsWith(Scheme, StringComparison.OrdinalIgnoreCase) ? _tokens.Find(header[Scheme.Length..].Trim()) : null;
}
