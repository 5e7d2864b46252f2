using System.Globalization;
using Mesh.Server.Telemetry;
using Microsoft.Net.Http.Headers;

namespace Mesh.Server.Access;

/// <summary>Answers requests that are not permitted with problem details, counts them, and logs a bounded number of them.</summary>
internal sealed partial class AccessRefusals(FailedTokenLimiter failed, AccessMetrics metrics, TimeProvider time, ILogger<AccessRefusals> logger)
{
    private readonly LogRateLimiter _logLimiter = new(logger, time);

    /// <summary>Answers a request without a known token: 401, or 429 while its address is locked out.</summary>
    public Task RefuseTokenAsync(HttpContext context)
    {
        var address = context.Connection.RemoteIpAddress;
        if (failed.GetLockoutRemaining(address) is { Ticks: > 0 } wait)
        {
            if (_logLimiter.TryAcquire())
            {
                LogLockedOut($"{address}");
            }

            context.Response.Headers.RetryAfter = Math.Ceiling(wait.TotalSeconds).ToString(CultureInfo.InvariantCulture);
            return RefuseAsync(
                context, StatusCodes.Status429TooManyRequests, "Too many wrong tokens.", "Too many wrong tokens came from this address (Mesh__Sessions__MaxFailedTokens).");
        }

        // Requests without a token are not counted as failed attempts: the map's page sends its first request without a token.
        if (context.Request.Headers.Authorization.ToString().Length > 0)
        {
            failed.Add(address);
        }

        if (_logLimiter.TryAcquire())
        {
            LogRefused($"{address}");
        }

        context.Response.Headers[HeaderNames.WWWAuthenticate] = TokenAuthenticationHandler.SchemeName;
        return RefuseAsync(context, StatusCodes.Status401Unauthorized, "Not authorized.", "This server requires a token: Authorization: Bearer <token>.");
    }

    /// <summary>Answers a request whose token does not have the role that is needed: 403.</summary>
    public Task RefuseRoleAsync(HttpContext context, TokenGrant grant)
    {
        if (_logLimiter.TryAcquire())
        {
            LogWrongRole($"{context.Connection.RemoteIpAddress}", grant.Roles);
        }

        return RefuseAsync(
            context, StatusCodes.Status403Forbidden, "Not permitted with this token.",
            context.WebSockets.IsWebSocketRequest ? "This token is one of Mesh__AcceptedTokens__Clients. It permits HTTP requests, but not the messages of workers and servers."
                : $"This token permits only the role {grant.Roles.ToString().ToLowerInvariant()}. HTTP requests require one of Mesh__AcceptedTokens__Clients.");
    }

    /// <summary>Answers a request of another site's web page to a server without tokens: 403.</summary>
    public Task RefuseForeignPageAsync(HttpContext context)
    {
        if (_logLimiter.TryAcquire())
        {
            LogForeignOrigin($"{context.Connection.RemoteIpAddress}");
        }

        return RefuseAsync(
            context, StatusCodes.Status403Forbidden, "Not permitted for pages of other sites.", "Origin: a web page of another site may not send requests to a server without a token.");
    }

    private Task RefuseAsync(HttpContext context, int status, string title, string detail)
    {
        metrics.Unauthorized(status);
        return Results.Problem(detail, statusCode: status, title: title).ExecuteAsync(context);
    }

    [LoggerMessage(2401, LogLevel.Warning, "A request from {RemoteAddress} without the right token is refused.")]
    private partial void LogRefused(string remoteAddress);

    [LoggerMessage(
        2402, LogLevel.Warning, "{RemoteAddress} is locked out until the end of the minute: it sent too many wrong tokens (Mesh__Sessions__MaxFailedTokens).")]
    private partial void LogLockedOut(string remoteAddress);

    [LoggerMessage(2403, LogLevel.Warning, "A request from {RemoteAddress} is refused: it comes from a web page of another site, and this server has no token.")]
    private partial void LogForeignOrigin(string remoteAddress);

    [LoggerMessage(2404, LogLevel.Warning, "A request from {RemoteAddress} is refused: its token permits only these roles: {Roles}.")]
    private partial void LogWrongRole(string remoteAddress, TokenRoles roles);
}
