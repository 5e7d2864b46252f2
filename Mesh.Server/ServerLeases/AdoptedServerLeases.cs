using System.Collections.Concurrent;
using System.Threading.Channels;
using Mesh.Protocol;
using Mesh.Server.Core.Persistence;
using Mesh.Server.Loop;
using Mesh.Server.Storage;

namespace Mesh.Server.ServerLeases;

/// <summary>Acquires, renews and releases the leases of dead peers, as the core decides. Informs the core when the owner requests a lease back, or when it is lost.</summary>
internal sealed partial class AdoptedServerLeases(
    IMeshStore store, ServerLeaseRenewer own, CoreInputQueue inputs, IProcessTable processes, TimeProvider time, ILogger<AdoptedServerLeases> logger)
{
    // The number of peers is the bound: the core requests a lease again only after a reply.
    private readonly Channel<(ServerId Server, bool Acquire)> _requests = Channel.CreateUnbounded<(ServerId, bool)>(new() { SingleReader = true });

    /// <summary>The leases that this process holds. The value is true after the loop has been informed.</summary>
    private readonly ConcurrentDictionary<ServerId, bool> _held = [];

    /// <summary>The last logged fault of each peer whose state cannot be read. The core tries such a peer repeatedly.</summary>
    private readonly Dictionary<ServerId, string> _lastReported = [];

    public void Acquire(ServerId server) => _requests.Writer.TryWrite((server, true));

    public void Release(ServerId server) => _requests.Writer.TryWrite((server, false));

    /// <summary>Processes the requests until the loop ends, and then releases all leases.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        await Task.WhenAll(inputs.WatchAsync(ProcessRequestsAsync(cancellationToken), cancellationToken), inputs.WatchAsync(RenewLeaseAsync(cancellationToken), cancellationToken));

        // In parallel, so that a store that does not answer delays the stop by one timeout only.
        await Task.WhenAll(_held.Keys.OrderBy(server => server.Value, StringComparer.Ordinal).Select(ReleaseHeldAsync));
    }

    private async Task ProcessRequestsAsync(CancellationToken cancellationToken)
    {
        // ReadAllAsync would leave the synchronization context, which the simulation depends on.
        while (await _requests.Reader.WaitToReadAsync(cancellationToken))
        {
            while (_requests.Reader.TryRead(out var request))
            {
                await ProcessRequestAsync(request.Server, request.Acquire, cancellationToken);
            }
        }
    }

    private async Task ProcessRequestAsync(ServerId server, bool acquire, CancellationToken cancellationToken)
    {
        if (!acquire)
        {
            await ReleaseHeldAsync(server);
        }
        else if (await AcquireAsync(server, cancellationToken) is { } stored)
        {
            await inputs.PostAsync(new(LoopInputKind.Adopted) { Id = server.Value, Subject = stored });
            _held[server] = true;
        }
        else
        {
            await inputs.PostAsync(new(LoopInputKind.AdoptionRefused) { Id = server.Value });
        }
    }

    private async Task<StoredState?> AcquireAsync(ServerId server, CancellationToken cancellationToken)
    {
        try
        {
            var answer = await store.AcquireLeaseAsync(server, own.Self, gone: null, cancellationToken);
            if (answer.Holder?.Process is { } process && processes.HasExited(process))
            {
                answer = await store.AcquireLeaseAsync(server, own.Self, answer.FencingToken, cancellationToken);
            }

            if (answer.Result == ServerLeaseAcquireStatus.Acquired)
            {
                _held[server] = false;
                var stored = await store.LoadAsync(server, cancellationToken);
                _lastReported.Remove(server);
                return stored;
            }
        }
        catch (Exception fault) when (fault is StoreUnavailableException or ServerLeaseLostException)
        {
            // The core tries again later.
        }
        catch (InvalidDataException unreadable)
        {
            if (!_lastReported.TryGetValue(server, out var reported) || reported != unreadable.Message)
            {
                _lastReported[server] = unreadable.Message;
                LogUnreadable(server, unreadable.Message);
            }
        }

        if (_held.ContainsKey(server))
        {
            await ReleaseHeldAsync(server);
        }

        return null;
    }

    private async Task RenewLeaseAsync(CancellationToken cancellationToken)
    {
        var began = time.GetTimestamp();
        while (true)
        {
            await Task.Delay(own.UntilNextRenewal(began), time, cancellationToken);
            began = time.GetTimestamp();

            // Ordered by id, because the simulation must repeat a run exactly.
            foreach (var server in _held.Where(lease => lease.Value).Select(lease => lease.Key).OrderBy(server => server.Value, StringComparer.Ordinal))
            {
                if (!await IsStillHeldAsync(server, cancellationToken))
                {
                    _held.TryRemove(server, out _);
                    await inputs.PostAsync(new(LoopInputKind.AdoptionEnded) { Id = server.Value });
                }
            }
        }
    }

    private async Task<bool> IsStillHeldAsync(ServerId server, CancellationToken cancellationToken)
    {
        try
        {
            return await store.RenewLeaseAsync(server, cancellationToken) == ServerLeaseRenewStatus.Held;
        }
        catch (StoreUnavailableException)
        {
            return true;
        }
    }

    private async Task ReleaseHeldAsync(ServerId server)
    {
        _held.TryRemove(server, out _);
        try
        {
            await store.ReleaseLeaseAsync(server, CancellationToken.None);
        }
        catch (StoreUnavailableException)
        {
            // The lease expires.
        }
    }

    [LoggerMessage(1501, LogLevel.Warning, "{Server} is still dead, but its tasks cannot be adopted, because some of its stored state cannot be read: {Fault}")]
    private partial void LogUnreadable(ServerId server, string fault);
}
