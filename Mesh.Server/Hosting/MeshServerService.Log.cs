namespace Mesh.Server.Hosting;

internal sealed partial class MeshServerService
{
    [LoggerMessage(1101, LogLevel.Information, "Stopping: no new work; what runs may finish.")]
    private partial void LogStopping();

    [LoggerMessage(1102, LogLevel.Warning, "Not everything was finished within {Limit} (Mesh__StopTimeout): running tasks go back to the queue, for the next start.")]
    private partial void LogNotDrained(TimeSpan limit);

    [LoggerMessage(1103, LogLevel.Error, "The last changes could not be written: the store does not answer.")]
    private partial void LogNotFlushed();

    [LoggerMessage(1104, LogLevel.Critical, "{Fault} The process ends.")]
    private partial void LogCannotServe(string fault);

    [LoggerMessage(1105, LogLevel.Critical, "This server's loop failed, which is a bug; the process ends.")]
    private partial void LogLoopFailed(Exception exception);

    [LoggerMessage(1106, LogLevel.Warning, "{Setting} is not a setting of a server and has no effect.")]
    private partial void LogUnknownSetting(string setting);
}
