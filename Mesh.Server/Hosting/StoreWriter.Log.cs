namespace Mesh.Server.Hosting;

internal sealed partial class StoreWriter
{
    [LoggerMessage(1201, LogLevel.Information, "Loaded {Tasks} unsettled tasks and {Loans} loans; {Dead} dead letters, {Done} tasks done so far.")]
    private partial void LogLoaded(int tasks, int loans, long dead, long done);

    [LoggerMessage(1202, LogLevel.Warning, "The store is away: this server takes no work until it is there. {Reason}")]
    private partial void LogLoadFailed(string reason);

    [LoggerMessage(1203, LogLevel.Error, "The store is away: nothing is accepted or acknowledged until it is back. {Reason}")]
    private partial void LogUnavailable(string reason);

    [LoggerMessage(1204, LogLevel.Information, "The store is back.")]
    private partial void LogAvailableAgain();
}
