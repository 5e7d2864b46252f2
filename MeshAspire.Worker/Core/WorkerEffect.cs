using Mesh.Protocol;
using TaskStatus = Mesh.Protocol.TaskStatus;

namespace MeshAspire.Worker.Core;

/// <summary>An action that <see cref="WorkerCore"/> requests from its shell.</summary>
internal abstract record WorkerEffect
{
    private WorkerEffect()
    {
    }

    /// <summary>Opens a link with this number. A line link is connected at once, because each exchange opens its own connection.</summary>
    public sealed record Dial(int Link, ServerTarget ServerTarget) : WorkerEffect;

    public sealed record Send(int Link, MeshMessage Message) : WorkerEffect;

    /// <summary>Sends a RUNNING of an attempt. The shell adds the attempt's last progress.</summary>
    public sealed record SendRunning(int Link, int Attempt, TaskStatus Status) : WorkerEffect;

    /// <summary>Closes the link, or cancels its dial.</summary>
    public sealed record Close(int Link) : WorkerEffect;

    public sealed record RunAttempt(int Attempt, NewTask Task) : WorkerEffect;

    public sealed record CancelAttempt(int Attempt) : WorkerEffect;

    /// <summary>Writes an event to the log.</summary>
    public sealed record Report(WorkerEvent Event) : WorkerEffect;

    /// <summary>The worker has stopped. No effect follows.</summary>
    public sealed record Stopped : WorkerEffect;
}
