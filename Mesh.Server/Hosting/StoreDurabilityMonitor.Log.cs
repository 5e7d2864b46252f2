namespace Mesh.Server.Hosting;

internal sealed partial class StoreDurabilityMonitor
{
    [LoggerMessage(1601, LogLevel.Error,
        "Redis may delete accepted tasks when it is full, so that no tasks are accepted: {Settings}. Set maxmemory-policy to noeviction; or accept the loss with Mesh__Store__AllowEviction.")]
    private partial void LogRefusing(string settings);

    [LoggerMessage(1602, LogLevel.Warning,
        "Redis may delete accepted tasks, results, balances and the marks that keep an UPDATE from being applied twice when it is full: {Settings}. Mesh__Store__AllowEviction accepts this.")]
    private partial void LogAllowed(string settings);

    [LoggerMessage(1603, LogLevel.Information, "Redis does not delete accepted tasks any more: tasks are accepted.")]
    private partial void LogAccepting();

    [LoggerMessage(1604, LogLevel.Warning,
        "Redis does not permit to read maxmemory-policy (INFO memory, CONFIG GET). With another policy than noeviction, accepted tasks are lost when it is full.")]
    private partial void LogEvictionUnknown();

    [LoggerMessage(1605, LogLevel.Warning,
        "Redis writes nothing to disk (appendonly is no, save is empty): when it stops, all accepted tasks, results, loans and balances are lost.")]
    private partial void LogNotPersistent();

    [LoggerMessage(1606, LogLevel.Warning,
        "Redis writes to disk at times only (appendonly is no, save is set): when it crashes, what it has acknowledged since the last time is lost.")]
    private partial void LogSnapshots();

    [LoggerMessage(1607, LogLevel.Warning,
        "Redis does not permit to read appendonly and save (INFO persistence, CONFIG GET). Without an append-only file, accepted tasks are lost when it crashes.")]
    private partial void LogPersistenceUnknown();
}
