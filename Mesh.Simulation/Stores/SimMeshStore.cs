using Mesh.Protocol;
using Mesh.Server.Core;
using Mesh.Server.Core.Persistence;
using Mesh.Server.Core.Tasks;
using Mesh.Server.ServerLeases;
using Mesh.Server.Storage;
using Mesh.Simulation.Checks;
using Mesh.Simulation.Nodes;
using Mesh.Simulation.Time;

namespace Mesh.Simulation.Stores;

/// <summary>The store as one process of a server sees it, with the faults of <see cref="SimStoreConnection"/> and <see cref="SimStoreWriter"/>.</summary>
internal sealed class SimMeshStore : IMeshStore
{
    private readonly SimWorld _world;
    private readonly ServerNode _node;
    private readonly ServerId _own;
    private readonly SimStoreConnection _connection;
    private readonly SimHeldLeases _leases;
    private readonly SimStoreWriter _writer;

    /// <param name="node">The server.</param>
    /// <param name="context">The process. The answers come in its context.</param>
    public SimMeshStore(SimWorld world, ServerNode node, SimContext context)
    {
        (_world, _node, _own) = (world, node, new(node.Name));
        _connection = new(world, node.Store.Redis, context);
        _leases = new(world, node, _connection);
        _writer = new(world, node, _leases, context);
    }

    public bool HasAdopted => _leases.HasAdopted;

    public bool Adopts(ServerId server) => server != _own && _leases.TryGet(server, out _);

    /// <summary>False when another process holds the lease of the server that stores the task.</summary>
    public bool MayServe(ServerId? storedBy) => _leases.TryGet(storedBy ?? _own, out var held) && !held.Store.Lease.IsHeldByAnother(held.FencingToken);

    /// <summary>Whether the store has lost the lease that this process holds for its own server.</summary>
    public bool HasLostLease => _leases.TryGet(_own, out var held) && held.Store.Lease.HasLost(held.FencingToken);

    public Task<ServerLeaseAcquireResult> AcquireLeaseAsync(ServerId server, ServerLeaseHolder self, string? gone, CancellationToken cancellationToken) =>
        _leases.AcquireAsync(server, self, gone);

    public Task<ServerLeaseRenewStatus> RenewLeaseAsync(ServerId server, CancellationToken cancellationToken) => _leases.RenewAsync(server);

    public Task ReleaseLeaseAsync(ServerId server, CancellationToken cancellationToken) => _leases.ReleaseAsync(server);

    public async Task<StoredState> LoadAsync(ServerId server, CancellationToken cancellationToken)
    {
        var lease = _leases.TryGet(server, out var held) ? held : throw _leases.Lost(server);
        await _connection.CallAsync(() => Keep(lease), number => lease.Known = lease.Tried = number ?? throw _leases.Lost(server));
        var stored = await _connection.CallAsync(lease.Store.Load, stored => stored);
        if (server != _own)
        {
            _world.Coverage.Count("adoption: adopted");
            _world.DeadLetterClients.Find(client => client.IsOf(server))?.OnAdopted();
            _world.Coverage.Count("adoption: tasks", stored.Tasks.Count);
            _world.Coverage.Count("adoption: delayed tasks", CountDelayed(stored));
            _node.Log($"adopts {stored.Tasks.Count} tasks of {server}");
            return stored with
            {
                Tasks = [.. stored.Tasks.Select(task => task with { StoredBy = server })],
                Schedules = [.. stored.Schedules.Select(schedule => schedule with { StoredBy = server })],
            };
        }

        if (lease.MustReload)
        {
            _node.Log("finds that the store has gone back");
            lease.MustReload = false;
            _writer.OnReloaded();
            _world.Coverage.Count("power loss: delayed tasks kept or loaded", (_node.Core?.GetStatus().Scheduled ?? 0) + CountDelayed(stored));
            return _world.Mutation == Mutation.LossNotRepaired && _node.Core is { } core ? WithMemoryOf(core, stored) : stored;
        }

        _world.Coverage.Count("schedule: delayed tasks taken up at a start", CountDelayed(stored));
        _node.Log($"takes up {stored.Tasks.Count} tasks and {stored.Loans.Count} loans");
        return stored;
    }

    public Task<IReadOnlyDictionary<string, TaskRecord?>> WriteAsync(StoreBatch batch, CancellationToken cancellationToken) => _writer.WriteAsync(batch);

    public Task<TaskRecord?> FindSettledAsync(string id, CancellationToken cancellationToken) => _connection.CallAsync(
        () => _leases.All.Select(lease => lease.Store.Results.GetValueOrDefault(id) ?? lease.Store.Dead.GetValueOrDefault(id)).FirstOrDefault(task => task is not null),
        task => task);

    public Task<DeadLetterPage> ReadDeadAsync(DeadLetterQuery query, CancellationToken cancellationToken) => DeadLetterPages.CollectAsync(
        _world.Mutation == Mutation.DeadLetterTypeIgnored ? query with { Type = null } : query,
        [.. ReadableServers()],
        (server, after) => _connection.CallAsync(() => ReadDead(server, after), page => page));

    public Task<IReadOnlyList<DeadLetterCursor>> FindLastDeadAsync(CancellationToken cancellationToken) => _connection.CallAsync<IReadOnlyList<DeadLetterCursor>, IReadOnlyList<DeadLetterCursor>>(
        () => [.. ReadableServers().Select(server => OrderedDead(server).LastOrDefault() is { } last ? new DeadLetterCursor(server, last.Sequence, last.Id) : null).OfType<DeadLetterCursor>()],
        last => last);

    /// <summary>The process has ended: the write that is under way arrives, is lost, or arrives late.</summary>
    public void Abandon() => _writer.Abandon();

    private IEnumerable<ServerId> ReadableServers() => _leases.Servers.Where(server => server != _own).Prepend(_own);

    private SimStore StoreOf(ServerId server) => _world.Servers.Find(node => node.Name == server.Value)!.Store;

    /// <summary>Returns new records, so that the checks can tell the requests apart that read the same dead letter.</summary>
    private IReadOnlyList<(DeadLetterCursor At, TaskRecord? Task)> ReadDead(ServerId server, DeadLetterCursor? after) =>
    [
        .. OrderedDead(server)
            .SkipWhile(task => after is not null && (task.Sequence < after.Sequence || (task.Sequence == after.Sequence && string.CompareOrdinal(task.Id, after.Id) <= 0)))
            .Take(DeadLetterPages.ReadSize)
            .Select(task => (new DeadLetterCursor(server, task.Sequence, task.Id), (TaskRecord?)(task with { StoredBy = server == _own ? null : server }))),
    ];

    private IEnumerable<TaskRecord> OrderedDead(ServerId server) => StoreOf(server).Dead.Values.OrderBy(task => task.Sequence).ThenBy(task => task.Id, StringComparer.Ordinal);

    private int CountDelayed(StoredState stored) => stored.Tasks.Count(task => task.NotBefore > _node.Now);

    private static StoredState WithMemoryOf(ServerCore core, StoredState stored) =>
        stored with { Tasks = [.. stored.Tasks, .. core.Unsettled.Select(task => task.ToRecord(TaskState.Queued))] };

    /// <summary>Accepts the store as it is, with a write of nothing: no write that is still on its way changes the store after it. Null when another has the lease.</summary>
    private static long? Keep(SimHeldLease lease)
    {
        if (!lease.Store.Lease.TryAcceptRollback(lease.Self, lease.FencingToken))
        {
            return null;
        }

        var number = Math.Max(lease.Tried, lease.Store.Lease.Written) + 1;
        lease.Store.Lease.TryCount(number);
        return number;
    }
}
