using Mesh.Protocol;

namespace Mesh.Worker.Core;

/// <summary>What the core is told once.</summary>
internal sealed record WorkerSettings(WorkerId Id, ServerId Home)
{
    /// <summary>How home is spoken to, and a borrower too, until it is known to speak lines.</summary>
    public Framing Framing { get; init; } = Framing.WebSocket;

    /// <summary>Tasks at a time.</summary>
    public int Concurrency { get; init; } = 1;

    /// <summary>The types there is a handler for.</summary>
    public TaskTypes Handles { get; init; } = TaskTypes.All;

    public RedirectPolicy Redirects { get; init; } = RedirectPolicy.Any;

    public WorkerTiming Timing { get; init; } = new();
}

/// <summary>The limits of the core's patience. None of them is part of the protocol; each is chosen against a limit that is.</summary>
internal sealed record WorkerTiming
{
    /// <summary>How long a held get_task may stay unanswered on a WebSocket; a server holds it for less. A line exchange has its own limit.</summary>
    public TimeSpan PollResponseTimeout { get; init; } = ProtocolLimits.PollResponseTimeout;

    /// <summary>After how long a status without ACK is sent again on the same connection.</summary>
    public TimeSpan StatusResendInterval { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>How long a borrower may be out of contact before the worker goes home by itself.</summary>
    public TimeSpan BorrowerTimeout { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>First and longest wait before trying a server again; in between it doubles.</summary>
    public TimeSpan RetryMin { get; init; } = TimeSpan.FromMilliseconds(200);

    public TimeSpan RetryMax { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>How long running tasks may take once the worker is called away; then they are cancelled and handed back.</summary>
    public TimeSpan DrainTimeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>The same once the worker is told to stop.</summary>
    public TimeSpan StopTimeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>How long after that the worker waits for handlers to end and for the ACK of what they had; then it leaves without.</summary>
    public TimeSpan HandBackTimeout { get; init; } = TimeSpan.FromSeconds(3);

    /// <summary>A NO_TASK that comes sooner than this was not held.</summary>
    public TimeSpan MinHoldTime { get; init; } = TimeSpan.FromMilliseconds(250);

    /// <summary>First and longest pause before asking a server that doesn't hold; in between it doubles.</summary>
    public TimeSpan MinPollDelay { get; init; } = TimeSpan.FromMilliseconds(50);

    public TimeSpan MaxPollDelay { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>How often a status is sent before it is given up; its task's lease then runs out.</summary>
    public int MaxStatusSends { get; init; } = 10;
}
