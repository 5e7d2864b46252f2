using Mesh.Protocol;
using Mesh.Server.Core.Adoption;
using Mesh.Server.Core.Loans;
using Mesh.Server.Core.Peers;
using Mesh.Server.Core.Persistence;
using Mesh.Server.Core.Tasks;
using Mesh.Server.Core.Workers;

namespace Mesh.Server.Core;

/// <summary>What the parts of the core share.</summary>
internal sealed class CoreState(ServerSettings settings, Effects effects, int seed)
{
    public ServerSettings Settings { get; } = settings;

    public Effects Effects { get; } = effects;

    public Journal Journal { get; } = new();

    /// <summary>The only chance in the core, so that a seed replays it.</summary>
    public Random Random { get; } = new(seed);

    public TaskRegistry Tasks { get; } = new(settings.Tasks, settings.Balancing);

    public WorkerRegistry Workers { get; } = new(settings.Tasks);

    public DeliveryTracker Deliveries { get; } = new();

    public LoanRegistry Loans { get; } = new();

    /// <summary>The servers whose tasks this one serves.</summary>
    public Dictionary<ServerId, AdoptedServer> Adoptions { get; } = [];

    public PeerRegistry Peers { get; } = new(settings.Peers);

    /// <summary>Workers whose held get_tasks may have an answer now, because their loan changed; looked at when the input is done.</summary>
    public List<WorkerId> WorkersWithChangedLoans { get; } = [];

    /// <summary>Workers whose held get_tasks may have tasks again; looked at when the input is done.</summary>
    public List<WorkerId> UnpausedWorkers { get; } = [];

    public bool Stopping { get; set; }

    /// <summary>True while an operator has this server take no new tasks. Kept in memory only.</summary>
    public bool Paused { get; set; }

    /// <summary>True from a failed write until one that succeeds. There is one under way all the while: what failed is written again.</summary>
    public bool StoreUnavailable { get; set; }

    /// <summary>True while the store may lose what it acknowledges: no tasks are accepted.</summary>
    public bool StoreNotDurable { get; set; }

    public void Send(SessionId session, MeshMessage message) => Effects.Sends.Add(new SendEffect(session, message));

    public void SendTask(SessionId session, TaskEntry task) => Effects.Sends.Add(new SendEffect(
        session,
        new NewTask(task.Type, task.Record.User, task.Record.Amount) { Id = task.Id, TraceParent = task.Record.TraceParent },
        task));

    public void Report(MeshEvent happened) => Effects.Events.Add(happened);

    public void Reject(SessionId session, MeshMessage message, string error)
    {
        Report(new MessageRejected(session, message, error));
        Send(session, new Rejection(error));
    }
}

/// <summary>One accepted connection, numbered by this process and never reused.</summary>
internal readonly record struct SessionId(long Value);

/// <summary>How a session ended: what may be concluded about the messages that were sent on it.</summary>
internal enum SessionEnd : byte
{
    /// <summary>In an orderly way, or in one that tells nothing about them.</summary>
    Closed = 1,

    /// <summary>The peer reset the connection, or a write failed: what the peer had not read by then is lost.</summary>
    Reset,

    /// <summary>This server dropped the connection, since the peer took too little of what was sent, or did not end a message.</summary>
    Dropped,
}
