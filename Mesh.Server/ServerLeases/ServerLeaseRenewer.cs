using Mesh.Protocol;
using Mesh.Server.Core;
using Mesh.Server.Hosting.Options;
using Mesh.Server.Loop;
using Mesh.Server.Storage;
using Microsoft.Extensions.Options;

namespace Mesh.Server.ServerLeases;

/// <summary>Acquires the lease of this server before it serves, and renews it. Of two processes with the same server id only one can serve.</summary>
internal sealed partial class ServerLeaseRenewer(
    IMeshStore store, CoreInputQueue inputs, ServerReadiness state, IProcessTable processes, IOptions<MeshOptions> options, TimeProvider time, ILogger<ServerLeaseRenewer> logger)
{
    private static readonly TimeSpan RetryDelay = TimeSpan.FromMilliseconds(200);
    private static readonly TimeSpan RevalidationTimeout = TimeSpan.FromMilliseconds(500);

    private readonly string _instance = Guid.NewGuid().ToString("N");
    private readonly ServerLeaseOptions _options = options.Value.Claim;
    private ServerLeaseHolder? _self;

    /// <summary>The time at which the last completed renewal was requested. A renewal in progress does not count: a process that was suspended requests one as soon as it resumes.</summary>
    private long _renewedAt;

    /// <summary>The time of the last call of <see cref="RevalidateAsync"/>.</summary>
    private long? _revalidatedAt;

    /// <summary>
    /// True when the last renewal is older than the expiry: this process was suspended, and another process may have the lease now. False for one expiry after a call of
    /// <see cref="RevalidateAsync"/>, so that a store that does not answer delays the loop once and not in each iteration.
    /// </summary>
    public bool IsOverdue => time.GetElapsedTime(Volatile.Read(ref _renewedAt)) > _options.Expiry && !(_revalidatedAt is { } at && time.GetElapsedTime(at) <= _options.Expiry);

    /// <summary>The description of this process in its lease record. Set by <see cref="AcquireAsync"/>.</summary>
    public ServerLeaseHolder Self => _self ?? throw new InvalidOperationException("The lease has not been requested.");

    /// <summary>Acquires the lease. Waits until the store is available and until another holder has released the lease.</summary>
    /// <exception cref="ServerLeaseHeldException">The other holder did not release it within Mesh__Claim__WaitLimit.</exception>
    public async Task AcquireAsync(ServerSettings settings, CancellationToken cancellationToken)
    {
        _self = new ServerLeaseHolder(settings.Id, _instance, settings.Advertise.ToString(), processes.Own);
        var (began, gone, isStoreUnavailable) = (time.GetTimestamp(), (string?)null, false);
        ServerLeaseHolder? reported = null;
        while (true)
        {
            try
            {
                var requestedAt = time.GetTimestamp();
                var answer = await store.AcquireLeaseAsync(settings.Id, Self, gone, cancellationToken);
                if (answer.Result == ServerLeaseAcquireStatus.Acquired)
                {
                    _renewedAt = requestedAt;
                    return;
                }

                var holder = answer.Holder!;
                if (holder.Process is { } process && gone != answer.FencingToken && processes.HasExited(process))
                {
                    gone = answer.FencingToken;
                    continue;
                }

                began = reported is null ? requestedAt : began;
                if (reported != holder)
                {
                    reported = holder;
                    state.WaitingFor = $"the lease of \"{settings.Id}\", which {holder} has";
                    LogLeaseHeld(settings.Id, holder, _options.WaitLimit);
                }

                if (time.GetElapsedTime(began) > _options.WaitLimit)
                {
                    throw new ServerLeaseHeldException(settings.Id, holder, _options.WaitLimit);
                }
            }
            catch (StoreUnavailableException fault)
            {
                state.WaitingFor = "the store";
                if (!isStoreUnavailable)
                {
                    isStoreUnavailable = true;
                    LogStoreUnavailable(fault.Message);
                }
            }

            await Task.Delay(RetryDelay, time, cancellationToken);
        }
    }

    /// <summary>
    /// The time until the next renewal, when the last one began at a timestamp. A slow renewal shortens it. A PeriodicTimer would do the same, but its finalizer keeps
    /// a whole simulated mesh in memory.
    /// </summary>
    public TimeSpan UntilNextRenewal(long began)
    {
        var left = (_options.Expiry / 3) - time.GetElapsedTime(began);
        return left > TimeSpan.Zero ? left : TimeSpan.Zero;
    }

    /// <summary>Renews the lease until the loop ends.</summary>
    public Task RunAsync(CancellationToken cancellationToken) => inputs.WatchAsync(RenewRepeatedlyAsync(cancellationToken), cancellationToken);

    private async Task RenewRepeatedlyAsync(CancellationToken cancellationToken)
    {
        var began = time.GetTimestamp();
        while (true)
        {
            await Task.Delay(UntilNextRenewal(began), time, cancellationToken);
            began = time.GetTimestamp();
            await RenewLeaseAsync(cancellationToken);
        }
    }

    /// <summary>Renews the lease after this process was suspended, before it takes inputs. Waits a short time only. When the lease is lost, a later write fails in any case.</summary>
    /// <exception cref="ServerLeaseLostException">Another process has the lease.</exception>
    public async Task RevalidateAsync(CancellationToken cancellationToken)
    {
        _revalidatedAt = time.GetTimestamp();
        try
        {
            await RenewLeaseAsync(cancellationToken).WaitAsync(RevalidationTimeout, time, cancellationToken);
        }
        catch (TimeoutException)
        {
            // Handled like an unavailable store.
        }
    }

    /// <summary>Releases the lease when the server has stopped, so that the next process does not have to wait.</summary>
    public async Task ReleaseLeaseAsync()
    {
        try
        {
            await store.ReleaseLeaseAsync(Self.Server, CancellationToken.None);
        }
        catch (StoreUnavailableException)
        {
            // The lease expires.
        }
    }

    // While the store is unavailable, no other process can acquire the lease. StoreWriter reports that the store is unavailable.
    private async Task RenewLeaseAsync(CancellationToken cancellationToken)
    {
        var requestedAt = time.GetTimestamp();
        try
        {
            if (await store.RenewLeaseAsync(Self.Server, cancellationToken) == ServerLeaseRenewStatus.StoreRolledBack)
            {
                inputs.CheckStore();
            }
        }
        catch (StoreUnavailableException)
        {
        }

        if (requestedAt > Volatile.Read(ref _renewedAt))
        {
            Volatile.Write(ref _renewedAt, requestedAt);
        }
    }

    [LoggerMessage(1401, LogLevel.Warning, "The store is unavailable. The server accepts no work until it is available. {Reason}")]
    private partial void LogStoreUnavailable(string reason);

    [LoggerMessage(1402, LogLevel.Warning, "A process already serves under the id \"{Server}\": {Holder}. This process waits up to {Limit} for it to end.")]
    private partial void LogLeaseHeld(ServerId server, ServerLeaseHolder holder, TimeSpan limit);
}
