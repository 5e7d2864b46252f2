using Mesh.Protocol;
using Mesh.Simulation.Network;
using Mesh.Simulation.Nodes;
using Mesh.Simulation.Time;
using TaskStatus = Mesh.Protocol.TaskStatus;

namespace Mesh.Simulation.Foreign;

/// <summary>How a foreign server keeps to the protocol.</summary>
internal enum ForeignServerBehavior : byte
{
    /// <summary>It behaves as the first implementations do.</summary>
    Correct = 1,

    /// <summary>Half of its answers are answers to other messages, errors, or missing.</summary>
    RandomMessage,

    /// <summary>It accepts connections and never answers.</summary>
    Unresponsive,
}

/// <summary>
/// A server written by others: raw lines, all state in memory. For each request it lends one of the workers that it knows, and sends the order when that
/// worker polls next.
/// </summary>
internal sealed class ForeignServer(SimWorld world, ServerId id, MeshEndpoint at, IReadOnlyList<(ServerId Id, MeshEndpoint At)> peers, ForeignServerBehavior manners, Random random)
    : SimNode(world, id.Value), IListener
{
    private const int HighMark = 6;
    private const int LowMark = 2;

    /// <summary>A borrowed worker that has not polled for this time is taken as gone.</summary>
    private static readonly TimeSpan BorrowedWorkerTimeout = TimeSpan.FromSeconds(40);

    /// <summary>Every worker that has polled, with its home if that is another server.</summary>
    private readonly Dictionary<WorkerId, (ServerId? Home, TimeSpan LastSeen)> _workers = [];
    private readonly Dictionary<WorkerId, MeshMessage> _orders = [];
    private readonly Dictionary<WorkerId, ServerId> _lent = [];
    private readonly List<WorkerId> _homecoming = [];
    private ServerId? _releasedBy;

    public bool SupportsWebSocket => false;

    public ForeignServerBehavior ForeignServerBehavior { get; private set; } = manners;

    public int Queue { get; private set; }

    public override void Stop() => Kill();

    public void AddTasks(int count) => Queue += count;

    public void ClearFaults() => ForeignServerBehavior = ForeignServerBehavior.Correct;

    public void OnOpened(SimConnection connection)
    {
    }

    public void OnClosed(SimConnection connection)
    {
    }

    public void OnMessage(SimConnection connection, MeshMessage message)
    {
        Log($"hears {connection.Client}", message);
        var reply = Answer(message);
        if (ForeignServerBehavior == ForeignServerBehavior.Unresponsive || (ForeignServerBehavior == ForeignServerBehavior.RandomMessage && random.Chance(0.25)))
        {
            return;
        }

        if (ForeignServerBehavior == ForeignServerBehavior.RandomMessage && random.Chance(0.3))
        {
            reply = random.Pick<MeshMessage>(
                [new NoTask(), new Rejection("what?"), new Unavailable(id), new HeartbeatResponse(id), new ReleaseAck(id, AnyWorkers()), new Available(id, AnyWorkers()), new Ack()]);
        }

        if (reply is not null)
        {
            Log($"answers {connection.Client}", reply);
            connection.SendToClient(reply);
        }
    }

    protected override void OnStart()
    {
        _workers.Clear();
        _orders.Clear();
        _lent.Clear();
        _homecoming.Clear();
        Queue = 0;
        After(random.Seconds(0, 3), Beat);
        After(random.Seconds(2, 6), Balance);
    }

    protected override void OnKilled()
    {
    }

    private MeshMessage? Answer(MeshMessage message)
    {
        switch (message)
        {
            case GetTask ask:
                return Serve(ask);
            case TaskStatus:
                return new Ack();
            case Heartbeat:
                return new HeartbeatResponse(id);
            case WorkerRequest request:
                return Lend(request);
            case CommandRelease release:
                _releasedBy = release.Server;
                _homecoming.AddRange(release.Workers);
                return new ReleaseAck(id, release.Workers);
            case ReleaseCompleted completed:
                foreach (var worker in completed.Workers)
                {
                    _workers.Remove(worker);
                    _orders.Remove(worker);
                }

                return null;
            default:
                return new Rejection("unknown message");
        }
    }

    private MeshMessage Serve(GetTask ask)
    {
        _workers[ask.Worker] = (ask.Home, World.Scheduler.Now);
        if (_orders.Remove(ask.Worker, out var order))
        {
            if (order is Return)
            {
                _workers.Remove(ask.Worker);
            }

            return order;
        }

        if (ask.Home is null && _lent.Remove(ask.Worker) && _homecoming.Remove(ask.Worker) && _releasedBy is { } borrower)
        {
            SendToPeer(borrower, new ReleaseCompleted(id, [ask.Worker]), (_, _) => { });
        }

        if (Queue > 0)
        {
            Queue--;
            return new NewTask(TaskType.Query, "Maria");
        }

        return new NoTask();
    }

    private MeshMessage Lend(WorkerRequest request)
    {
        var borrower = peers.FirstOrDefault(peer => peer.At == request.Requestor);
        if (borrower.At != request.Requestor || Queue > HighMark || _workers.Count < 2)
        {
            return new Unavailable(id);
        }

        var worker = random.Pick(_workers.Keys.ToArray());
        World.Coverage.Count("foreign server: lends");
        _orders[worker] = new Redirect(request.Requestor);
        _lent[worker] = borrower.Id;
        return new Available(id, [worker]);
    }

    private void Beat()
    {
        foreach (var peer in peers)
        {
            SendToPeer(peer.Id, new Heartbeat(id), (_, _) => { });
        }

        After(TimeSpan.FromSeconds(10), Beat);
    }

    private void Balance()
    {
        if (Queue > HighMark)
        {
            var owner = random.Pick(peers);
            SendToPeer(owner.Id, new WorkerRequest(at), (reply, _) => World.Coverage.Count("foreign server: borrows", reply is Available ? 1 : 0));
        }
        else if (Queue <= LowMark)
        {
            foreach (var lost in _workers.Where(worker => worker.Value.Home is not null && worker.Value.LastSeen + BorrowedWorkerTimeout < World.Scheduler.Now).ToArray())
            {
                _workers.Remove(lost.Key);
            }

            foreach (var group in _workers.Where(worker => worker.Value.Home is not null).GroupBy(worker => worker.Value.Home!.Value).ToArray())
            {
                Release(group.Key, [.. group.Select(worker => worker.Key)]);
            }
        }

        if (ForeignServerBehavior == ForeignServerBehavior.RandomMessage)
        {
            SendToPeer(random.Pick(peers).Id, RandomMessage(), (_, _) => { });
        }

        After(random.Seconds(3, 6), Balance);
    }

    private MeshMessage RandomMessage() => random.Pick<MeshMessage>([
        new Available(id, AnyWorkers()),
        new Unavailable(id),
        new CommandRelease(id, AnyWorkers()),
        new ReleaseAck(id, AnyWorkers()),
        new ReleaseCompleted(id, AnyWorkers()),
        new HeartbeatResponse(id),
        new NoTask(),
        new TaskStatus(TaskOutcome.Nok, TaskType.Update, new WorkerId(random.Pick(World.AllWorkers).Name)) { Id = new TaskId("server-a-1") },
        new WorkerRequest(at) { WorkersNeeded = 50, Server = id },
    ]);

    /// <summary>Workers of the mesh, at any server.</summary>
    private WorkerList AnyWorkers() => [.. Enumerable.Range(0, random.From(0, 4)).Select(_ => new WorkerId(random.Pick(World.AllWorkers).Name))];

    private void Release(ServerId owner, WorkerList workers)
    {
        var address = peers.FirstOrDefault(peer => peer.Id == owner).At;
        SendToPeer(owner, new CommandRelease(id, workers), (reply, _) =>
        {
            if (reply is ReleaseAck ack)
            {
                World.Coverage.Count("foreign server: release acknowledged");
                foreach (var worker in ack.Workers.Where(_workers.ContainsKey))
                {
                    _orders[worker] = new Return(address);
                }
            }
        });
    }

    private void SendToPeer(ServerId peer, MeshMessage message, Action<MeshMessage?, string> answered)
    {
        if (ForeignServerBehavior != ForeignServerBehavior.Unresponsive && peers.FirstOrDefault(other => other.Id == peer) is { Id.Value: not null } found)
        {
            Log($"tells {peer}", message);
            World.Network.Exchange(Name, found.At, message, IgnoreAfterRestart(answered));
        }
    }
}
