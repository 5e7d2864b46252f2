using Mesh.Protocol;

namespace MeshAspire.Worker.Core;

/// <summary>An input of <see cref="WorkerCore"/>. <see cref="WorkerEffect.Dial"/> sets the number of a link; each link ends with exactly one <see cref="DialFailed"/> or <see cref="Disconnected"/>.</summary>
internal abstract record WorkerInput
{
    private WorkerInput()
    {
    }

    public sealed record Start : WorkerInput;

    public sealed record Connected(int Link) : WorkerInput;

    /// <param name="Link">The number of the link.</param>
    /// <param name="SupportsOnlyLines">Whether the server accepts connections but does not support WebSocket.</param>
    /// <param name="Why">The error, for the log.</param>
    public sealed record DialFailed(int Link, bool SupportsOnlyLines, string Why) : WorkerInput;

    public sealed record Disconnected(int Link, string Why) : WorkerInput;

    public sealed record Received(int Link, MeshMessage Message) : WorkerInput;

    /// <summary>A line exchange failed: the message got no reply, or one of the wrong type.</summary>
    public sealed record ExchangeFailed(int Link, MeshMessage Sent, string Why) : WorkerInput;

    /// <summary>A RUNNING over lines was acknowledged.</summary>
    public sealed record RunningAcknowledged(int Link, TaskId Task, bool Cancel) : WorkerInput;

    /// <summary>A RUNNING over lines was answered with an error.</summary>
    public sealed record RunningRejected(int Link, string Error) : WorkerInput;

    public sealed record AttemptEnded(int Attempt, AttemptResult Result) : WorkerInput;

    /// <summary>The time <see cref="WorkerCore.WakeAt"/> has passed. An earlier one is harmless.</summary>
    public sealed record TimerElapsed : WorkerInput;

    public sealed record StopRequested : WorkerInput;
}

/// <summary>The result of an attempt: the output of the task, or an error with the reason.</summary>
internal readonly record struct AttemptResult(TaskOutcome Outcome, RawJson? Result, string? Error, string? TraceParent)
{
    /// <summary>The tasks to accept with the result, as in THEN, or null.</summary>
    public RawJson? Then { get; init; }

    /// <summary>False when a NOK makes the task a dead letter.</summary>
    public bool MayRetry { get; init; } = true;

    /// <summary>The shortest time until the next attempt after a NOK, or null for that of the server.</summary>
    public TimeSpan? RetryAfter { get; init; }
}
