namespace MeshAspire.Client;

/// <summary>The result of <see cref="MeshClient.CancelAsync"/>.</summary>
public enum CancelResult
{
    /// <summary>Not a result.</summary>
    None,

    /// <summary>The task is cancelled, and no attempt at it starts. A dead letter is deleted.</summary>
    Cancelled,

    /// <summary>The task runs. The running attempt is the last one, and its worker is told to end it. The task can still be done.</summary>
    CancellationRequested,

    /// <summary>The task is done. Nothing has changed.</summary>
    AlreadyDone,

    /// <summary>No server knows the task.</summary>
    NotFound,
}

/// <summary>The result of <see cref="MeshClient.RetryAsync"/>.</summary>
public enum RetryResult
{
    /// <summary>Not a result.</summary>
    None,

    /// <summary>The dead letter is in the queue again, with all its attempts.</summary>
    Retried,

    /// <summary>The task is not a dead letter. Nothing has changed.</summary>
    NotDead,

    /// <summary>No server knows the task.</summary>
    NotFound,
}
