using Mesh.Server.Core;

namespace Mesh.Server.Loop;

/// <summary>Reads the core's state. Runs inside the loop.</summary>
internal abstract class CoreQuery
{
    public abstract void Run(ServerCore core);

    /// <summary>Called when the loop has ended. The caller gets a <see cref="LoopStoppedException"/>.</summary>
    public abstract void Cancel();
}

internal sealed class CoreQuery<T>(Func<ServerCore, T> read) : CoreQuery
{
    private readonly TaskCompletionSource<T> _result = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public Task<T> Result => _result.Task;

    public override void Run(ServerCore core)
    {
        try
        {
            _result.TrySetResult(read(core));
        }
        catch
        {
            // The exception ends the loop.
            Cancel();
            throw;
        }
    }

    public override void Cancel() => _result.TrySetException(new LoopStoppedException());
}

/// <summary>The server is stopping, and its loop accepts no more inputs.</summary>
internal sealed class LoopStoppedException() : Exception("This server is stopping.");

/// <summary>An operator's command to the core. The caller waits for its result.</summary>
internal abstract class CoreCommand
{
    public abstract void Run(ServerCore core, DateTimeOffset now);

    /// <summary>Called when the loop has ended. The caller gets a <see cref="LoopStoppedException"/>.</summary>
    public abstract void Cancel();
}

internal sealed class CoreCommand<T>(Func<ServerCore, DateTimeOffset, T> command) : CoreCommand
{
    private readonly TaskCompletionSource<T> _result = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public Task<T> Result => _result.Task;

    public override void Run(ServerCore core, DateTimeOffset now)
    {
        try
        {
            _result.TrySetResult(command(core, now));
        }
        catch
        {
            // The exception ends the loop.
            Cancel();
            throw;
        }
    }

    public override void Cancel() => _result.TrySetException(new LoopStoppedException());
}
