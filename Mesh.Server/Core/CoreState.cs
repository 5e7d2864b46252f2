using Mesh.Protocol;
using Mesh.Server.Core.Adoption;
using Mesh.Server.Core.Loans;
using Mesh.Server.Core.Peers;
using Mesh.Server.Core.Persistence;
using Mesh.Server.Core.Schedules;
using Mesh.Server.Core.Tasks;
using Mesh.Server.Core.Workers;

namespace Mesh.Server.Core;

/// <summary>The state that all parts of the core share.</summary>
internal sealed class CoreState(ServerSettings settings, Effects effects, int seed)
{
    public ServerSettings Settings { get; } = settings;

    public Effects Effects { get; } = effects;

    public Journal Journal { get; } = new();

    /// <summary>The only random number generator of the core. The same seed and inputs give the same effects.</summary>
    public Random Random { get; } = new(seed);

    public TaskRegistry Tasks { get; } = new(settings.Tasks, settings.Balancing);

    public WorkerRegistry Workers { get; } = new(settings.Id, settings.Tasks);

    public DeliveryTracker Deliveries { get; } = new();

    public LoanRegistry Loans => field ??= new(Workers);

    /// <summary>The adopted servers, whose tasks this server runs.</summary>
    public Dictionary<ServerId, AdoptedServer> Adoptions { get; } = [];

    public ScheduleRegistry Schedules { get; } = new();

    public PeerRegistry Peers { get; } = new();

    /// <summary>Workers whose loan has changed. <see cref="ServerCore"/> answers their pending polls, where possible, at the end of each input.</summary>
    public List<WorkerId> WorkersWithChangedLoans { get; } = [];

    /// <summary>Workers whose pause has ended. <see cref="ServerCore"/> resumes their pending polls at the end of each input.</summary>
    public List<WorkerId> UnpausedWorkers { get; } = [];

    public bool Stopping { get; set; }

    /// <summary>True from <see cref="ServerCore.OnPause"/> to <see cref="ServerCore.OnResume"/>. Kept in memory only.</summary>
    public bool Paused { get; set; }

    /// <summary>True from a failed write until the next successful one. The failed batch is written again until then.</summary>
    public bool StoreUnavailable { get; set; }

    /// <summary>True while the store may lose acknowledged writes. No tasks are accepted meanwhile.</summary>
    public bool StoreNotDurable { get; set; }

    /// <summary>Finds a schedule of this server, or else of an adopted one, or returns null.</summary>
    public ScheduleEntry? FindSchedule(string name) =>
        Schedules.Find(null, name) ?? Adoptions.Keys.Select(server => Schedules.Find(server, name)).FirstOrDefault(entry => entry is not null);

    public void Send(SessionId session, MeshMessage message) => Effects.Sends.Add(new SendEffect(session, message));

    /// <param name="withAttempt">False for a worker of the first generations, which gets no ATTEMPT.</param>
    public void SendTask(SessionId session, TaskEntry task, bool withAttempt) => Effects.Sends.Add(new SendEffect(
        session,
        new NewTask(task.Type, task.Record.User, task.Record.Amount)
        {
            Payload = task.Record.Payload,
            Id = task.Id,
            Attempt = withAttempt ? task.Attempts : 1,
            TraceParent = task.Record.TraceParent,
        },
        task));

    public void Report(MeshEvent happened) => Effects.Events.Add(happened);

    public void Reject(SessionId session, MeshMessage message, string error)
    {
        Report(new MessageRejected(session, message, error));
        Send(session, new Rejection(error));
    }
}

/// <summary>The number of an accepted connection. A process uses each number once.</summary>
internal readonly record struct SessionId(long Value);

/// <summary>How a session ended. <see cref="DeliveryTracker"/> concludes from it which messages were lost.</summary>
internal enum SessionEnd : byte
{
    /// <summary>The connection was closed normally, or in a way that does not show whether messages were lost.</summary>
    Closed = 1,

    /// <summary>The peer reset the connection, or a write failed. Messages that the peer had not read are lost.</summary>
    Reset,

    /// <summary>This server closed the connection because the peer read too slowly or did not complete a message in time.</summary>
    Dropped,
}
