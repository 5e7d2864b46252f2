using Mesh.Server.Access;

namespace Mesh.Server.Api;

internal sealed partial class TokenMiddleware
{
    [LoggerMessage(2401, LogLevel.Warning, "{RemoteAddress} asked without the right token and was refused.")]
    private partial void LogRefused(string remoteAddress);

    [LoggerMessage(
        2402, LogLevel.Warning, "{RemoteAddress} gave too many wrong tokens and is locked out for now (Mesh__Sessions__MaxFailedTokens).")]
    private partial void LogLockedOut(string remoteAddress);

    [LoggerMessage(2404, LogLevel.Warning, "{RemoteAddress} asked with a token that is for other things ({Roles}) and was refused.")]
    private partial void LogRoleDenied(string remoteAddress, TokenRoles roles);

    [LoggerMessage(2403, LogLevel.Warning, "{RemoteAddress} shows a web page of another site, which may not ask a server without a token.")]
    private partial void LogForeignOrigin(string remoteAddress);
}
