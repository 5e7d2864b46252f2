using Mesh.Server.Core;

namespace Mesh.Server.Producer;

internal sealed partial class DemoProducer
{
    [LoggerMessage(5001, LogLevel.Information, "Demo load: a wave of {Count} tasks, {Outcome}.")]
    private partial void LogWave(int count, SubmitOutcome outcome);

    [LoggerMessage(5003, LogLevel.Information, "Demo load: no waves while this server is paused.")]
    private partial void LogPaused();

    [LoggerMessage(5002, LogLevel.Warning, "Demo load: the accounts cannot be opened yet. {Reason}")]
    private partial void LogStoreUnavailable(string reason);
}
