using System.Collections.Concurrent;
using System.Text.Json;
using Mesh.Protocol;
using StackExchange.Redis;

namespace Mesh.Server.Storage;

/// <summary>The claims that this process has: its own and those of servers that it has adopted. Safe from any thread.</summary>
/// <param name="database">Where they are kept.</param>
/// <param name="own">This server.</param>
/// <param name="expiry">A claim that is not renewed for so long is free.</param>
internal sealed class RedisClaims(Func<IDatabase> database, ServerId own, TimeSpan expiry)
{
    private readonly ConcurrentDictionary<ServerId, HeldClaim> _held = [];

    /// <summary>The takes without an answer: one that is repeated is the same take, whichever arrives last.</summary>
    private readonly ConcurrentDictionary<ServerId, string> _takes = [];

    /// <summary>What allows this process to write that server's state, or null.</summary>
    public HeldClaim? Find(ServerId server) => _held.GetValueOrDefault(server);

    /// <summary>The servers whose claims this process has.</summary>
    public IEnumerable<ServerId> Held => _held.Keys;

    public async Task<ClaimAnswer> TakeAsync(ServerId server, ClaimHolder holder, string? gone, CancellationToken cancellationToken)
    {
        var keys = new RedisKeys(server);
        var record = JsonSerializer.SerializeToUtf8Bytes(holder, StoreJson.Default.ClaimHolder);
        var take = _takes.GetOrAdd(server, static _ => Guid.NewGuid().ToString("N"));
        var reply = await database().ScriptEvaluateAsync(
            ClaimScripts.Take,
            [keys.Claim, keys.Epoch, keys.Wanted, keys.Tasks, keys.Dead],
            [holder.Instance, record, Milliseconds, server == own ? ClaimScripts.Owner : ClaimScripts.Adopter, gone ?? "", take]).WaitAsync(cancellationToken);
        _takes.TryRemove(server, out _);
        switch ((string?)reply[0])
        {
            case ClaimScripts.Taken:
                _held[server] = new((string)reply[1]!, record);
                return new(ClaimResult.Taken);
            case ClaimScripts.Held:
                return new(ClaimResult.Held, (string?)reply[1], Read(keys.Claim, (RedisValue)reply[2]));
            case ClaimScripts.Unknown:
                return new(ClaimResult.Unknown);
            case ClaimScripts.Empty:
                return new(ClaimResult.Empty);
            default:
                throw new InvalidOperationException($"The claim's script answered '{reply[0]}'.");
        }
    }

    public async Task<ClaimState> RenewAsync(ServerId server, CancellationToken cancellationToken)
    {
        if (!_held.TryGetValue(server, out var claim))
        {
            return ClaimState.Lost;
        }

        var keys = new RedisKeys(server);
        var reply = await database().ScriptEvaluateAsync(
            ClaimScripts.Renew, [keys.Claim, keys.Epoch, keys.Wanted, keys.Written], [claim.Epoch, claim.Holder, Milliseconds, claim.Written]).WaitAsync(cancellationToken);
        switch ((string?)reply)
        {
            case ClaimScripts.Held:
                return ClaimState.Held;
            case ClaimScripts.Wanted:
                // The owner's own wish, left from when it waited, or that of a second process under its id: neither is heard.
                return server == own ? ClaimState.Held : ClaimState.Wanted;
            case ClaimScripts.WentBack when server == own:
                return ClaimState.WentBack;
            case ClaimScripts.WentBack or ClaimScripts.Lost:
                // An adopter adopts anew what there is.
                Drop(server);
                return ClaimState.Lost;
            default:
                throw new InvalidOperationException($"The claim's script answered '{reply}'.");
        }
    }

    /// <summary>Takes the store as it is, with less than it had acknowledged, maybe. False when somebody else has the claim.</summary>
    public async Task<bool> KeepAsync(ServerId server, CancellationToken cancellationToken)
    {
        if (!_held.TryGetValue(server, out var claim))
        {
            return false;
        }

        var keys = new RedisKeys(server);
        var written = (long)await database().ScriptEvaluateAsync(
            ClaimScripts.Keep, [keys.Claim, keys.Epoch, keys.Written], [claim.Epoch, claim.Holder, Milliseconds]).WaitAsync(cancellationToken);
        if (written < 0)
        {
            Drop(server);
            return false;
        }

        claim.Restart(written);
        return true;
    }

    public async Task ReleaseAsync(ServerId server, CancellationToken cancellationToken)
    {
        if (_held.TryRemove(server, out var claim))
        {
            var keys = new RedisKeys(server);
            await database().ScriptEvaluateAsync(ClaimScripts.Release, [keys.Claim, keys.Epoch], [claim.Epoch]).WaitAsync(cancellationToken);
        }
    }

    /// <summary>A write was refused: somebody else has it.</summary>
    public void Drop(ServerId server) => _held.TryRemove(server, out _);

    public async Task<ClaimHolder?> FindHolderAsync(ServerId server, CancellationToken cancellationToken)
    {
        var key = new RedisKeys(server).Claim;
        var holder = await database().StringGetAsync(key).WaitAsync(cancellationToken);
        return holder.IsNull ? null : Read(key, holder);
    }

    private static ClaimHolder Read(RedisKey key, RedisValue holder) => RedisMeshStore.Read(key, holder, StoreJson.Default.ClaimHolder);

    private long Milliseconds => (long)expiry.TotalMilliseconds;
}
