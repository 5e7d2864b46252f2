using System.Collections.Concurrent;
using System.Text.Json;
using Mesh.Protocol;
using Mesh.Server.ServerLeases;
using StackExchange.Redis;

namespace Mesh.Server.Storage;

/// <summary>The server leases that this process holds: its own and those of adopted servers. Thread-safe.</summary>
/// <param name="database">Returns the database that stores the leases.</param>
/// <param name="own">This server.</param>
/// <param name="expiry">A lease that is not renewed for this time expires.</param>
internal sealed class RedisServerLeases(Func<IDatabase> database, ServerId own, TimeSpan expiry)
{
    private readonly ConcurrentDictionary<ServerId, HeldServerLease> _held = [];

    /// <summary>The ids of requests to acquire that have not been answered. A repeated request has the same id, so that its effect does not depend on which of them arrives last.</summary>
    private readonly ConcurrentDictionary<ServerId, string> _pendingAcquires = [];

    /// <summary>Returns the lease that allows this process to write a server's state, or null.</summary>
    public HeldServerLease? Find(ServerId server) => _held.GetValueOrDefault(server);

    /// <summary>The servers whose leases this process holds.</summary>
    public IEnumerable<ServerId> Held => _held.Keys;

    public async Task<ServerLeaseAcquireResult> AcquireAsync(ServerId server, ServerLeaseHolder holder, string? gone, CancellationToken cancellationToken)
    {
        var keys = new RedisKeys(server);
        var record = JsonSerializer.SerializeToUtf8Bytes(holder, StoreJson.Default.ServerLeaseHolder);
        var acquireId = _pendingAcquires.GetOrAdd(server, static _ => Guid.NewGuid().ToString("N"));
        var reply = await database().ScriptEvaluateAsync(
            ServerLeaseScripts.Acquire,
            [keys.ServerLease, keys.FencingToken, keys.HandbackRequested, keys.Tasks, keys.Dead, keys.Schedules],
            [holder.Instance, record, Milliseconds, server == own ? ServerLeaseScripts.Owner : ServerLeaseScripts.Adopter, gone ?? "", acquireId]).WaitAsync(cancellationToken);
        _pendingAcquires.TryRemove(server, out _);
        switch ((string?)reply[0])
        {
            case ServerLeaseScripts.Acquired:
                _held[server] = new((string)reply[1]!, record);
                return new(ServerLeaseAcquireStatus.Acquired);
            case ServerLeaseScripts.Held:
                return new(ServerLeaseAcquireStatus.Held, (string?)reply[1], Read(keys.ServerLease, (RedisValue)reply[2]));
            case ServerLeaseScripts.Unknown:
                return new(ServerLeaseAcquireStatus.Unknown);
            case ServerLeaseScripts.Empty:
                return new(ServerLeaseAcquireStatus.Empty);
            default:
                throw new InvalidOperationException($"The server lease script returned '{reply[0]}'.");
        }
    }

    public async Task<ServerLeaseRenewStatus> RenewLeaseAsync(ServerId server, CancellationToken cancellationToken)
    {
        if (!_held.TryGetValue(server, out var lease))
        {
            return ServerLeaseRenewStatus.Lost;
        }

        var keys = new RedisKeys(server);
        var reply = await database().ScriptEvaluateAsync(
            ServerLeaseScripts.Renew, [keys.ServerLease, keys.FencingToken, keys.HandbackRequested, keys.LastWriteNumber], [lease.FencingToken, lease.Holder, Milliseconds, lease.LastWriteNumber]).WaitAsync(cancellationToken);
        switch ((string?)reply)
        {
            case ServerLeaseScripts.Held:
                return ServerLeaseRenewStatus.Held;
            case ServerLeaseScripts.HandbackRequested:
                // On its own lease this server ignores the request to hand it back. The request is its own, from when it waited, or that of a second process with its id.
                return server == own ? ServerLeaseRenewStatus.Held : ServerLeaseRenewStatus.HandbackRequested;
            case ServerLeaseScripts.StoreRolledBack when server == own:
                return ServerLeaseRenewStatus.StoreRolledBack;
            case ServerLeaseScripts.StoreRolledBack or ServerLeaseScripts.Lost:
                // The core can adopt the server again, with the state that the store has now.
                Drop(server);
                return ServerLeaseRenewStatus.Lost;
            default:
                throw new InvalidOperationException($"The server lease script returned '{reply}'.");
        }
    }

    /// <summary>Accepts the state of the store, even if acknowledged changes are missing. Returns false when another process has the lease.</summary>
    public async Task<bool> AcceptStateAsync(ServerId server, CancellationToken cancellationToken)
    {
        if (!_held.TryGetValue(server, out var lease))
        {
            return false;
        }

        var keys = new RedisKeys(server);
        var written = (long)await database().ScriptEvaluateAsync(
            ServerLeaseScripts.AcceptState, [keys.ServerLease, keys.FencingToken, keys.LastWriteNumber], [lease.FencingToken, lease.Holder, Milliseconds]).WaitAsync(cancellationToken);
        if (written < 0)
        {
            Drop(server);
            return false;
        }

        lease.ResetTo(written);
        return true;
    }

    public async Task ReleaseLeaseAsync(ServerId server, CancellationToken cancellationToken)
    {
        if (_held.TryRemove(server, out var lease))
        {
            var keys = new RedisKeys(server);
            await database().ScriptEvaluateAsync(ServerLeaseScripts.Release, [keys.ServerLease, keys.FencingToken], [lease.FencingToken]).WaitAsync(cancellationToken);
        }
    }

    /// <summary>Called when a write was refused because another process has the lease.</summary>
    public void Drop(ServerId server) => _held.TryRemove(server, out _);

    public async Task<ServerLeaseHolder?> FindHolderAsync(ServerId server, CancellationToken cancellationToken)
    {
        var key = new RedisKeys(server).ServerLease;
        var holder = await database().StringGetAsync(key).WaitAsync(cancellationToken);
        return holder.IsNull ? null : Read(key, holder);
    }

    private static ServerLeaseHolder Read(RedisKey key, RedisValue holder) => RedisMeshStore.Read(key, holder, StoreJson.Default.ServerLeaseHolder);

    private long Milliseconds => (long)expiry.TotalMilliseconds;
}

/// <summary>A lease that this process holds, and the numbers of the writes under it. Only one writer at a time. Other threads may read.</summary>
internal sealed class HeldServerLease(string fencingToken, byte[] holder)
{
    private long _lastWriteNumber;
    private long _lastTriedNumber;

    public string FencingToken { get; } = fencingToken;

    public byte[] Holder { get; } = holder;

    /// <summary>The number of the last acknowledged write. A store with a lower number was rolled back.</summary>
    public long LastWriteNumber => Volatile.Read(ref _lastWriteNumber);

    /// <summary>Returns the number of the next write attempt, which is higher than all before. An attempt that arrives after a later one changes nothing.</summary>
    public long NextWriteNumber() => ++_lastTriedNumber;

    /// <summary>True when the store was rolled back and has not been loaded since. No writes are allowed.</summary>
    public bool MustReload { get; set; }

    public void Acknowledge(long number) => Volatile.Write(ref _lastWriteNumber, number);

    /// <summary>Sets the numbers when the state of the store is accepted.</summary>
    public void ResetTo(long written)
    {
        _lastTriedNumber = Math.Max(_lastTriedNumber, written);
        Volatile.Write(ref _lastWriteNumber, written);
    }
}
