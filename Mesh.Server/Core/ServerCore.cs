using Mesh.Protocol;

namespace Mesh.Server.Core;

/// <summary>
/// All that a server decides, without I/O: inputs with their time go in, effects come out, and changes to the store gather in
/// <see cref="Journal"/>. Not thread-safe: one loop, or one simulation, drives it.
/// </summary>
internal sealed class ServerCore
{
    public ServerCore(ServerSettings settings, StoredState stored, DateTimeOffset now, int seed, Effects effects) => throw new NotSupportedException();

    /// <summary>Changes to the store that wait to be written.</summary>
    public Journal Journal { get; } = new();

    /// <summary>When <see cref="OnTimer"/> is due, or null.</summary>
    public DateTimeOffset? NextWake { get; private set; }

    /// <summary>True once a stopping server has no running task and no borrowed worker.</summary>
    public bool IsDrained { get; private set; }

    public void OnMessage(SessionId session, Framing framing, MeshMessage message, DateTimeOffset now) => throw new NotSupportedException();

    public void OnSessionClosed(SessionId session, DateTimeOffset now) => throw new NotSupportedException();

    /// <summary>A peer's reply on this server's own link.</summary>
    public void OnPeerReply(ServerId peer, MeshMessage reply, DateTimeOffset now) => throw new NotSupportedException();

    /// <summary>A message with <see cref="PeerSendEffect.ExpectsReply"/> was not answered: unreachable, timed out, or refused.</summary>
    public void OnPeerFailed(ServerId peer, MeshMessage request, string reason, DateTimeOffset now) => throw new NotSupportedException();

    /// <summary>A link found out what a peer speaks.</summary>
    public void OnPeerFraming(ServerId peer, Framing framing) => throw new NotSupportedException();

    public void OnSubmit(Submission submission, DateTimeOffset now) => throw new NotSupportedException();

    /// <summary>A batch is in the store.</summary>
    /// <param name="known">Ids of keyed tasks in it that were known already and were not accepted again.</param>
    public void OnStored(StoreBatch batch, IReadOnlySet<string> known, DateTimeOffset now) => throw new NotSupportedException();

    /// <summary>A batch may or may not be in the store.</summary>
    public void OnStoreFailed(StoreBatch batch, DateTimeOffset now) => throw new NotSupportedException();

    /// <summary>The ledger has closed a task to further attempts.</summary>
    /// <param name="applied">The balance after the task when an attempt had been applied, else null.</param>
    public void OnVoided(TaskId task, decimal? applied, DateTimeOffset now) => throw new NotSupportedException();

    public void OnVoidFailed(TaskId task, DateTimeOffset now) => throw new NotSupportedException();

    public void OnTimer(DateTimeOffset now) => throw new NotSupportedException();

    /// <summary>No new work; what runs may finish, borrowed workers are returned.</summary>
    public void OnStopping(DateTimeOffset now) => throw new NotSupportedException();

    /// <summary>An unsettled task by the client's id, or null.</summary>
    public TaskRecord? FindTask(string id) => throw new NotSupportedException();

    public IEnumerable<TaskRecord> ListTasks(TaskState state, int limit) => throw new NotSupportedException();

    public ServerStatus GetStatus() => throw new NotSupportedException();
}
