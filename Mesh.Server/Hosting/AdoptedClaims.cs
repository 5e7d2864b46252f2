using System.Collections.Concurrent;
using System.Threading.Channels;
using Mesh.Protocol;
using Mesh.Server.Core;
using Mesh.Server.Hosting.Options;
using Mesh.Server.Storage;
using Microsoft.Extensions.Options;

namespace Mesh.Server.Hosting;

/// <summary>Takes, keeps and gives up the claims of dead peers, as the core decides, and tells it when one is wanted back or lost.</summary>
internal sealed partial class AdoptedClaims(
    IMeshStore store, ClaimKeeper own, MeshInbox inbox, IOptions<MeshOptions> options, TimeProvider time, ILogger<AdoptedClaims> logger)
{
    // Bounded by the peers: the core asks again only when it has been answered.
    private readonly Channel<(ServerId Server, bool Take)> _asked = Channel.CreateUnbounded<(ServerId, bool)>(new() { SingleReader = true });

    /// <summary>The claims that this process has, and whether the loop knows of it.</summary>
    private readonly ConcurrentDictionary<ServerId, bool> _held = [];

    /// <summary>What was said last of a peer whose state cannot be read: it is tried again and again.</summary>
    private readonly Dictionary<ServerId, string> _told = [];

    public void Take(ServerId server) => _asked.Writer.TryWrite((server, true));

    public void Release(ServerId server) => _asked.Writer.TryWrite((server, false));

    /// <summary>Until the loop ends; then what is held is given up.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        await Task.WhenAll(WatchAsync(ServeAsync(cancellationToken), cancellationToken), WatchAsync(RenewAsync(cancellationToken), cancellationToken));

        // Together: a store that hangs is waited for once.
        await Task.WhenAll(_held.Keys.Select(GiveUpAsync));
    }

    /// <summary>Each by itself: the other one would go on, and nobody hear of the fault.</summary>
    private async Task WatchAsync(Task part, CancellationToken cancellationToken)
    {
        try
        {
            await part;
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            // The loop has ended.
        }
#pragma warning disable CA1031 // Any other exception is a bug: the loop ends with it.
        catch (Exception exception)
#pragma warning restore CA1031
        {
            await inbox.PostAsync(new(LoopInput.Broken) { Subject = exception });
        }
    }

    private async Task ServeAsync(CancellationToken cancellationToken)
    {
        await foreach (var (server, take) in _asked.Reader.ReadAllAsync(cancellationToken))
        {
            if (!take)
            {
                await GiveUpAsync(server);
            }
            else if (await TakeAsync(server, cancellationToken) is { } stored)
            {
                await inbox.PostAsync(new(LoopInput.Adopted) { Id = server.Value, Subject = stored });
                _held[server] = true;
            }
            else
            {
                await inbox.PostAsync(new(LoopInput.AdoptionRefused) { Id = server.Value });
            }
        }
    }

    private async Task<StoredState?> TakeAsync(ServerId server, CancellationToken cancellationToken)
    {
        try
        {
            var answer = await store.ClaimAsync(server, own.Self, gone: null, cancellationToken);
            if (answer.Holder?.Process is { } process && LocalProcess.IsGone(process))
            {
                answer = await store.ClaimAsync(server, own.Self, answer.Epoch, cancellationToken);
            }

            if (answer.Result == ClaimResult.Taken)
            {
                _held[server] = false;
                var stored = await store.LoadAsync(server, cancellationToken);
                _told.Remove(server);
                return stored;
            }
        }
        catch (Exception fault) when (fault is StoreAwayException or ClaimLostException)
        {
            // The core asks again after a while.
        }
        catch (InvalidDataException unreadable)
        {
            if (!_told.TryGetValue(server, out var told) || told != unreadable.Message)
            {
                _told[server] = unreadable.Message;
                LogUnreadable(server, unreadable.Message);
            }
        }

        if (_held.ContainsKey(server))
        {
            await GiveUpAsync(server);
        }

        return null;
    }

    private async Task RenewAsync(CancellationToken cancellationToken)
    {
        using var timer = new PeriodicTimer(options.Value.Claim.Expiry / 3, time);
        while (await timer.WaitForNextTickAsync(cancellationToken))
        {
            foreach (var (server, _) in _held.Where(claim => claim.Value))
            {
                if (!await IsOursAsync(server, cancellationToken))
                {
                    _held.TryRemove(server, out _);
                    await inbox.PostAsync(new(LoopInput.Disowned) { Id = server.Value });
                }
            }
        }
    }

    private async Task<bool> IsOursAsync(ServerId server, CancellationToken cancellationToken)
    {
        try
        {
            return await store.RenewAsync(server, cancellationToken) == ClaimState.Held;
        }
        catch (StoreAwayException)
        {
            return true;
        }
    }

    private async Task GiveUpAsync(ServerId server)
    {
        _held.TryRemove(server, out _);
        try
        {
            await store.ReleaseAsync(server, CancellationToken.None);
        }
        catch (StoreAwayException)
        {
            // It expires.
        }
    }
}
