using Mesh.Protocol;

namespace Mesh.Worker.Core;

/// <summary>What the core wants done.</summary>
internal abstract record WorkerEffect
{
    private WorkerEffect()
    {
    }

    /// <summary>Open a link of this number. Over lines there is nothing to open: it is connected at once.</summary>
    public sealed record Dial(int Link, ServerTarget ServerTarget) : WorkerEffect;

    public sealed record Send(int Link, MeshMessage Message) : WorkerEffect;

    /// <summary>End the link, opened or still being dialled.</summary>
    public sealed record Close(int Link) : WorkerEffect;

    public sealed record RunAttempt(int Attempt, NewTask Task) : WorkerEffect;

    public sealed record CancelAttempt(int Attempt) : WorkerEffect;

    /// <summary>Something an operator wants to read.</summary>
    public sealed record Report(WorkerEvent Event) : WorkerEffect;

    /// <summary>The worker is done; nothing follows.</summary>
    public sealed record Stopped : WorkerEffect;
}
