using System.Collections.Concurrent;
using System.Threading.Channels;
using Mesh.Protocol;
using Mesh.Server.Core;
using Mesh.Server.Hosting.Options;
using Mesh.Server.Storage;
using Microsoft.Extensions.Options;

namespace Mesh.Server.Hosting;

/// <summary>Takes, keeps and gives up the claims of dead peers, as the core decides, and tells it when one is wanted back or lost.</summary>
internal sealed class AdoptedClaims(IMeshStore store, ClaimKeeper own, MeshInbox inbox, IOptions<MeshOptions> options, TimeProvider time)
{
    // Bounded by the peers: the core asks again only when it has been answered.
    private readonly Channel<(ServerId Server, bool Take)> _asked = Channel.CreateUnbounded<(ServerId, bool)>(new() { SingleReader = true });
    private readonly ConcurrentDictionary<ServerId, bool> _held = [];

    public void Take(ServerId server) => _asked.Writer.TryWrite((server, true));

    public void Release(ServerId server) => _asked.Writer.TryWrite((server, false));

    /// <summary>Until the loop ends; then what is held is given up.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        try
        {
            await Task.WhenAll(ServeAsync(cancellationToken), RenewAsync(cancellationToken));
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            foreach (var server in _held.Keys)
            {
                await GiveUpAsync(server);
            }
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
                var stored = await store.LoadAsync(server, cancellationToken);
                _held[server] = true;
                return stored;
            }
        }
        catch (Exception fault) when (fault is StoreAwayException or ClaimLostException)
        {
            // The core asks again after a while.
        }

        return null;
    }

    private async Task RenewAsync(CancellationToken cancellationToken)
    {
        using var timer = new PeriodicTimer(options.Value.Claim.Expiry / 3, time);
        while (await timer.WaitForNextTickAsync(cancellationToken))
        {
            foreach (var server in _held.Keys)
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
