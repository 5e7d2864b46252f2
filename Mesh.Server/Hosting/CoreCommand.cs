using Mesh.Server.Core;

namespace Mesh.Server.Hosting;

/// <summary>An operator's command to the core, whose answer is awaited.</summary>
internal abstract class CoreCommand
{
    public abstract void Run(ServerCore core, DateTimeOffset now);

    /// <summary>The loop has ended: there will be no answer.</summary>
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
            // The loop ends with it.
            Cancel();
            throw;
        }
    }

    public override void Cancel() => _result.TrySetException(new LoopStoppedException());
}
