namespace Mesh.Server.Api;

internal sealed partial class TokenGate
{
    [LoggerMessage(2401, LogLevel.Warning, "{RemoteAddress} asked without the right token and was refused. {LeftOut} such lines were left out.")]
    private partial void LogRefused(string remoteAddress, int leftOut);

    [LoggerMessage(
        2402, LogLevel.Warning, "{RemoteAddress} gave too many wrong tokens and is locked out for now (Mesh__Sessions__MaxFailedTokens). {LeftOut} such lines were left out.")]
    private partial void LogLockedOut(string remoteAddress, int leftOut);

    [LoggerMessage(2403, LogLevel.Warning, "{RemoteAddress} shows a web page of another site, which may not ask a server without a token. {LeftOut} such lines were left out.")]
    private partial void LogForeignPage(string remoteAddress, int leftOut);
}
