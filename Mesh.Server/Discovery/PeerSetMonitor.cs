using Mesh.Protocol;
using Mesh.Server.Core;
using Mesh.Server.Hosting.Options;
using Mesh.Server.Loop;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Primitives;

namespace Mesh.Server.Discovery;

/// <summary>
/// Keeps the peers of a running server up to date: reads them again when the configuration changes, and looks up Mesh__PeersFromDns__Name periodically. Posts a set that differs from the
/// one before to the loop.
/// </summary>
internal sealed class PeerSetMonitor(
    IConfiguration configuration, IOptions<MeshOptions> options, ConfiguredPeers configured, DnsPeers dns, SettingsFileFaults files, CoreInputQueue inputs, TimeProvider time)
{
    /// <summary>The time to wait after a change, because several files often change together.</summary>
    private static readonly TimeSpan SettleTime = TimeSpan.FromSeconds(0.5);

    /// <summary>The time until the next attempt to resolve the address of a peer.</summary>
    private static readonly TimeSpan RetryDelay = TimeSpan.FromSeconds(2);

    private MeshOptions _valid = options.Value;
    private TaskCompletionSource _changed = NewSignal();

    /// <summary>Combines the peers. One that is configured and found by DNS has its configured address.</summary>
    public static IReadOnlyList<PeerSettings> Combine(IReadOnlyList<PeerSettings> configured, IReadOnlyList<PeerSettings> found) =>
        [.. configured.Concat(found).DistinctBy(peer => peer.Id)];

    /// <summary>Runs until the loop ends.</summary>
    /// <param name="settings">What the server has started with.</param>
    public Task RunAsync(ServerSettings settings, CancellationToken cancellationToken) => inputs.WatchAsync(FindRepeatedlyAsync(settings, cancellationToken), cancellationToken);

    private async Task FindRepeatedlyAsync(ServerSettings settings, CancellationToken cancellationToken)
    {
        IReadOnlyList<PeerSettings> current = settings.Peers;
        configured.Start(current);
        files.Occurred += OnChanged;
        using var changes = ChangeToken.OnChange(configuration.GetReloadToken, OnChanged);
        try
        {
            while (true)
            {
                // Before the configuration is read, so that a change during the reading leads to another one.
                _changed = NewSignal();
                var peers = await FindAsync(settings.Id, cancellationToken);
                if (!peers.ToHashSet().SetEquals(current))
                {
                    current = peers;
                    await inputs.PeersChangedAsync(peers);
                }

                await WaitAsync(cancellationToken);
            }
        }
        finally
        {
            files.Occurred -= OnChanged;
        }
    }

    private async Task<IReadOnlyList<PeerSettings>> FindAsync(ServerId self, CancellationToken cancellationToken)
    {
        _valid = configured.Read() ?? _valid;
        return Combine(
            await configured.ResolveAsync(_valid, self, cancellationToken),
            await dns.FindAsync(_valid.PeersFromDns, self, cancellationToken));
    }

    private async Task WaitAsync(CancellationToken cancellationToken)
    {
        var longest = _valid.PeersFromDns.Name is null ? Timeout.InfiniteTimeSpan : _valid.PeersFromDns.Interval;
        await _changed.Task.WaitAsync(configured.HasUnresolved ? RetryDelay : longest, time, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        cancellationToken.ThrowIfCancellationRequested();
        if (_changed.Task.IsCompleted)
        {
            await Task.Delay(SettleTime, time, cancellationToken);
        }
    }

    private static TaskCompletionSource NewSignal() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    private void OnChanged() => _changed.TrySetResult();
}
