namespace MeshAspire.Client;

/// <summary>
/// <see cref="MeshClient.SubmitManyAsync"/> ended before all tasks were accepted, and the tasks have different outcomes. The inner exception is the error that ended it.
/// </summary>
public sealed class PartialSubmissionException(
    string message, IReadOnlyList<string> accepted, IReadOnlyList<MeshTaskRequest> unknown, IReadOnlyList<MeshTaskRequest> notAccepted, Exception innerException)
    : MeshException(message, (innerException as MeshException)?.Server, innerException)
{
    /// <summary>The ids of the tasks that were accepted, in the order of the list. They will run.</summary>
    public IReadOnlyList<string> Accepted => accepted;

    /// <summary>
    /// The tasks of which it is unknown whether they were accepted, with their ids and their server. Submit them again to find out, as described in
    /// <see cref="TaskOutcomeUnknownException"/>.
    /// </summary>
    public IReadOnlyList<MeshTaskRequest> Unknown => unknown;

    /// <summary>The tasks that were certainly not accepted, as the caller passed them. Some of them may have been sent and refused.</summary>
    public IReadOnlyList<MeshTaskRequest> NotAccepted => notAccepted;
}
