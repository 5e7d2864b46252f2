using Mesh.Server.Core;
using Mesh.Server.Hosting.Options;
using Mesh.Server.Storage;
using Microsoft.Extensions.Options;

namespace Mesh.Server.Hosting;

/// <summary>Has this server's claim before it serves, and keeps it: two processes started under one id do not both serve.</summary>
internal sealed partial class ServerLeaseRenewer(
    IMeshStore store, CoreInputQueue inputs, ServerReadiness state, IProcessTable processes, IOptions<MeshOptions> options, TimeProvider time, ILogger<ServerLeaseRenewer> logger)
{
    private static readonly TimeSpan RetryDelay = TimeSpan.FromMilliseconds(200);
    private static readonly TimeSpan RevalidationTimeout = TimeSpan.FromMilliseconds(500);

    private readonly string _instance = Guid.NewGuid().ToString("N");
    private readonly ServerLeaseOptions _options = options.Value.Claim;
    private ServerLeaseHolder? _self;

    /// <summary>When the last renewal that has ended was asked for. One that is under way says nothing yet: a process that was stopped asks as soon as it goes on.</summary>
    private long _renewedAt;

    /// <summary>When <see cref="RevalidateAsync"/> was called last.</summary>
    private long? _revalidatedAt;

    /// <summary>
    /// True when the claim should have been renewed long ago: this process was stopped for a while, and another may have taken its place. False for a while after a
    /// confirmation, so that a store that hangs does not hold the loop up at each turn.
    /// </summary>
    public bool IsOverdue => time.GetElapsedTime(Volatile.Read(ref _renewedAt)) > _options.Expiry && !(_revalidatedAt is { } at && time.GetElapsedTime(at) <= _options.Expiry);

    /// <summary>What others are told of this process, once it has asked for its claim.</summary>
    public ServerLeaseHolder Self => _self ?? throw new InvalidOperationException("The claim has not been asked for.");

    /// <summary>Takes the claim, however long the store is away; waits for another holder to go.</summary>
    /// <exception cref="ServerLeaseHeldException">It did not within Mesh__Claim__WaitLimit.</exception>
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

    /// <summary>Renews it for as long as the loop runs.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        try
        {
            using var timer = new PeriodicTimer(_options.Expiry / 3, time);
            while (await timer.WaitForNextTickAsync(cancellationToken))
            {
                await RenewLeaseAsync(cancellationToken);
            }
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            // The loop has ended.
        }
#pragma warning disable CA1031 // A lost claim, or a bug: the loop ends with it.
        catch (Exception exception)
#pragma warning restore CA1031
        {
            await inputs.PostAsync(new(LoopInputKind.Faulted) { Subject = exception });
        }
    }

    /// <summary>Before a process that was stopped goes on: is it still the one? Not waited for long; whoever writes learns it in any case.</summary>
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
            // As a store that is away.
        }
    }

    /// <summary>The server has stopped: the next one need not wait.</summary>
    public async Task ReleaseLeaseAsync()
    {
        try
        {
            await store.ReleaseLeaseAsync(Self.Server, CancellationToken.None);
        }
        catch (StoreUnavailableException)
        {
            // It expires.
        }
    }

    // A store that is away says nothing about the claim: nobody else can take it there either. That it is away tells whoever writes.
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
}
