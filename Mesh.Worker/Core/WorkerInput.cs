using Mesh.Protocol;

namespace Mesh.Worker.Core;

/// <summary>What can happen to a worker. A link is numbered by its <see cref="WorkerEffect.Dial"/>; it ends with exactly one <see cref="DialFailed"/> or <see cref="Disconnected"/>.</summary>
internal abstract record WorkerInput
{
    private WorkerInput()
    {
    }

    public sealed record Start : WorkerInput;

    public sealed record Connected(int Link) : WorkerInput;

    /// <param name="Link">The link.</param>
    /// <param name="SupportsOnlyLines">The server is there, but knows no WebSocket.</param>
    /// <param name="Why">For the log.</param>
    public sealed record DialFailed(int Link, bool SupportsOnlyLines, string Why) : WorkerInput;

    public sealed record Disconnected(int Link, string Why) : WorkerInput;

    public sealed record Received(int Link, MeshMessage Message) : WorkerInput;

    /// <summary>Over lines only: this message brought no reply, or none that answers it.</summary>
    public sealed record ExchangeFailed(int Link, MeshMessage Sent, string Why) : WorkerInput;

    public sealed record AttemptEnded(int Attempt, AttemptResult Result) : WorkerInput;

    /// <summary><see cref="WorkerCore.WakeAt"/> has come.</summary>
    public sealed record TimerElapsed : WorkerInput;

    public sealed record StopRequested : WorkerInput;
}

/// <summary>What a handler made of a task: a balance, or an error that says why not.</summary>
internal readonly record struct AttemptResult(TaskOutcome Outcome, decimal? Balance, string? Error, string? TraceParent);
