using Mesh.Protocol;
using Mesh.Server.Core;
using Mesh.Server.Hosting.Options;
using Mesh.Server.Loop;
using Mesh.Server.Storage;
using Microsoft.Extensions.Options;

namespace Mesh.Server.ServerLeases;

/// <summary>Takes the claim of this server before it serves, and renews it. Of two processes with the same server id only one can serve.</summary>
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
    /// True when the last renewal is older than the expiry: this process was suspended, and another process may have the claim now. False for one expiry after a call of
    /// <see cref="RevalidateAsync"/>, so that a store that does not answer delays the loop once and not in each iteration.
    /// </summary>
    public bool IsOverdue => time.GetElapsedTime(Volatile.Read(ref _renewedAt)) > _options.Expiry && !(_revalidatedAt is { } at && time.GetElapsedTime(at) <= _options.Expiry);

    /// <summary>How this process is described to others. Set when it requests its claim.</summary>
    public ServerLeaseHolder Self => _self ?? throw new InvalidOperationException("The claim has not been asked for.");

    /// <summary>Takes the claim. Waits until the store is available and until another holder has released the claim.</summary>
    /// <exception cref="ServerLeaseHeldException">The other holder did not release it within Mesh__Claim__WaitLimit.</exception>
    public async Task AcquireAsync(ServerSettings settings, CancellationToken cancellationToken)
    {
        _self = new ServerLeaseHolder(settings.Id, _instance, settings.Advertise.ToString(), processes.Own);
        var (began, gone, away) = (time.GetTimestamp(), (string?)null, false);
        ServerLeaseHolder? told = null;
        while (true)
        {
            try
            {
                var asked = time.GetTimestamp();
                var answer = await store.AcquireLeaseAsync(settings.Id, Self, gone, cancellationToken);
                if (answer.Result == ServerLeaseAcquireStatus.Acquired)
                {
                    _renewedAt = asked;
                    return;
                }

                var holder = answer.Holder!;
                if (holder.Process is { } process && gone != answer.FencingToken && processes.HasExited(process))
                {
                    gone = answer.FencingToken;
                    continue;
                }

                began = told is null ? asked : began;
                if (told != holder)
                {
                    told = holder;
                    state.WaitingFor = $"the claim on \"{settings.Id}\", which {holder} has";
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
                if (!away)
                {
                    away = true;
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

    /// <summary>Renews the claim as long as the loop runs.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        try
        {
            var began = time.GetTimestamp();
            while (true)
            {
                await Task.Delay(UntilNextRenewal(began), time, cancellationToken);
                began = time.GetTimestamp();
                await RenewLeaseAsync(cancellationToken);
            }
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            // The loop has ended.
        }
#pragma warning disable CA1031 // The claim is lost, or there is a bug. Either ends the loop.
        catch (Exception exception)
#pragma warning restore CA1031
        {
            await inputs.PostAsync(new(LoopInputKind.Faulted) { Subject = exception });
        }
    }

    /// <summary>Renews the claim after this process was suspended, before it takes inputs. Waits a short time only; a write fails in any case when the claim is lost.</summary>
    /// <exception cref="ServerLeaseLostException">Another process has the claim.</exception>
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

    /// <summary>Releases the claim when the server has stopped, so that the next process does not have to wait.</summary>
    public async Task ReleaseLeaseAsync()
    {
        try
        {
            await store.ReleaseLeaseAsync(Self.Server, CancellationToken.None);
        }
        catch (StoreUnavailableException)
        {
            // The claim expires.
        }
    }

    // While the store is unavailable, no other process can take the claim. The store writer reports that it is unavailable.
    private async Task RenewLeaseAsync(CancellationToken cancellationToken)
    {
        var asked = time.GetTimestamp();
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

        if (asked > Volatile.Read(ref _renewedAt))
        {
            Volatile.Write(ref _renewedAt, asked);
        }
    }

    [LoggerMessage(1401, LogLevel.Warning, "The store is away: this server takes no work until it is there. {Reason}")]
    private partial void LogStoreUnavailable(string reason);

    [LoggerMessage(1402, LogLevel.Warning, "A process serves under the id \"{Server}\" already: {Holder}. This one waits until it is gone, for {Limit} at most.")]
    private partial void LogLeaseHeld(ServerId server, ServerLeaseHolder holder, TimeSpan limit);
}
