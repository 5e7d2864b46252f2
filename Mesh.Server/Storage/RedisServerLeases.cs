using System.Collections.Concurrent;
using System.Text.Json;
using Mesh.Protocol;
using Mesh.Server.ServerLeases;
using StackExchange.Redis;

namespace Mesh.Server.Storage;

/// <summary>The claims that this process has: its own and those of servers that it has adopted. Safe from any thread.</summary>
/// <param name="database">Where they are kept.</param>
/// <param name="own">This server.</param>
/// <param name="expiry">A claim that is not renewed for so long is free.</param>
internal sealed class RedisServerLeases(Func<IDatabase> database, ServerId own, TimeSpan expiry)
{
    private readonly ConcurrentDictionary<ServerId, HeldServerLease> _held = [];

    /// <summary>The takes without an answer: one that is repeated is the same take, whichever arrives last.</summary>
    private readonly ConcurrentDictionary<ServerId, string> _pendingAcquires = [];

    /// <summary>What allows this process to write that server's state, or null.</summary>
    public HeldServerLease? Find(ServerId server) => _held.GetValueOrDefault(server);

    /// <summary>The servers whose claims this process has.</summary>
    public IEnumerable<ServerId> Held => _held.Keys;

    public async Task<ServerLeaseAcquireResult> AcquireAsync(ServerId server, ServerLeaseHolder holder, string? gone, CancellationToken cancellationToken)
    {
        var keys = new RedisKeys(server);
        var record = JsonSerializer.SerializeToUtf8Bytes(holder, StoreJson.Default.ServerLeaseHolder);
        var acquireId = _pendingAcquires.GetOrAdd(server, static _ => Guid.NewGuid().ToString("N"));
        var reply = await database().ScriptEvaluateAsync(
            ServerLeaseScripts.Acquire,
            [keys.ServerLease, keys.FencingToken, keys.HandbackRequested, keys.Tasks, keys.Dead],
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
                throw new InvalidOperationException($"The claim's script answered '{reply[0]}'.");
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
                // The owner's own wish, left from when it waited, or that of a second process under its id: neither is heard.
                return server == own ? ServerLeaseRenewStatus.Held : ServerLeaseRenewStatus.HandbackRequested;
            case ServerLeaseScripts.StoreRolledBack when server == own:
                return ServerLeaseRenewStatus.StoreRolledBack;
            case ServerLeaseScripts.StoreRolledBack or ServerLeaseScripts.Lost:
                // An adopter adopts anew what there is.
                Drop(server);
                return ServerLeaseRenewStatus.Lost;
            default:
                throw new InvalidOperationException($"The claim's script answered '{reply}'.");
        }
    }

    /// <summary>Takes the store as it is, with less than it had acknowledged, maybe. False when somebody else has the claim.</summary>
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

    /// <summary>A write was refused: somebody else has it.</summary>
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

/// <summary>A claim that this process has, and what it knows of the writes under it. One writer at a time; others may read.</summary>
internal sealed class HeldServerLease(string fencingToken, byte[] holder)
{
    private long _lastWriteNumber;
    private long _lastTriedNumber;

    public string FencingToken { get; } = fencingToken;

    public byte[] Holder { get; } = holder;

    /// <summary>The number of the last write that was acknowledged: a store with a lower one has gone back.</summary>
    public long LastWriteNumber => Volatile.Read(ref _lastWriteNumber);

    /// <summary>The number of the next try, above all before it: one whose outcome is unknown changes nothing once a later one has arrived.</summary>
    public long NextWriteNumber() => ++_lastTriedNumber;

    /// <summary>The store has gone back and was not loaded since: nothing may be written.</summary>
    public bool MustReload { get; set; }

    public void Acknowledge(long number) => Volatile.Write(ref _lastWriteNumber, number);

    /// <summary>The store is taken as it is.</summary>
    public void ResetTo(long written)
    {
        _lastTriedNumber = Math.Max(_lastTriedNumber, written);
        Volatile.Write(ref _lastWriteNumber, written);
    }
}
