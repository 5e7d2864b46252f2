using Mesh.Server.Hosting;
using Mesh.Server.Hosting.Options;
using Mesh.Server.Storage;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Time.Testing;

namespace Mesh.Tests.Server;

public sealed class StoreDurabilityMonitorTests : IStoreDurabilityInspector, IDisposable
{
    private static readonly StoreDurability Safe = new(StoreEviction.None, "", StorePersistence.AppendOnlyFile);
    private static readonly StoreDurability Evicting = new(StoreEviction.Possible, "maxmemory-policy is allkeys-lru", StorePersistence.AppendOnlyFile);

    private readonly CoreInputQueue _inputs = new();
    private readonly ServerReadiness _state = new();
    private readonly FakeTimeProvider _time = new();
    private readonly SemaphoreSlim _inspected = new(0);
    private MeshOptions _options = new();
    private StoreDurability? _durability = Safe;

    private event Action? Reconnected;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    event Action? IStoreDurabilityInspector.Reconnected
    {
        add => Reconnected += value;
        remove => Reconnected -= value;
    }

    Task<StoreDurability> IStoreDurabilityInspector.InspectAsync(CancellationToken cancellationToken)
    {
        _inspected.Release();
        return _durability is { } durability ? Task.FromResult(durability) : throw new StoreUnavailableException("Redis: no connection.");
    }

    public void Dispose() => _inspected.Dispose();

    [Fact]
    public async Task Check_StoreThatBeginsToEvict_TellsTheLoopOnce()
    {
        var monitor = NewMonitor();
        await monitor.CheckAsync(Stop);
        Assert.False(_inputs.Reader.TryRead(out _));

        _durability = Evicting;
        await monitor.CheckAsync(Stop);
        await monitor.CheckAsync(Stop);

        Assert.True(_inputs.Reader.TryRead(out var told));
        Assert.Equal((LoopInputKind.StoreDurability, _state.DurabilityRisk), (told.Kind, told.Detail));
        Assert.Contains("allkeys-lru", _state.DurabilityRisk, StringComparison.Ordinal);
        Assert.False(_inputs.Reader.TryRead(out _));
    }

    [Fact]
    public async Task Check_StoreThatIsAwayOrSaysNoMore_StaysRefused()
    {
        var monitor = NewMonitor();
        _durability = Evicting;
        await monitor.CheckAsync(Stop);

        _durability = null;
        await monitor.CheckAsync(Stop);
        _durability = Evicting with { Eviction = StoreEviction.Unknown, EvictionSettings = "" };
        await monitor.CheckAsync(Stop);
        Assert.NotNull(_state.DurabilityRisk);

        _durability = Safe;
        await monitor.CheckAsync(Stop);
        Assert.Null(_state.DurabilityRisk);
    }

    [Fact]
    public async Task Check_EvictionAllowed_RefusesNothing()
    {
        _options = _options with { Store = new() { AllowEviction = true } };
        _durability = Evicting;

        await NewMonitor().CheckAsync(Stop);

        Assert.Null(_state.DurabilityRisk);
        Assert.False(_inputs.Reader.TryRead(out _));
    }

    [Fact]
    public async Task Run_ReadsAtEachReconnectAndNowAndThen()
    {
        using var end = new CancellationTokenSource();
        var running = NewMonitor().RunAsync(end.Token);
        await InspectedAsync();

        Reconnected!.Invoke();
        await InspectedAsync();

        // Until it waits again: the reading is told before the timer is armed.
        while (!await _inspected.WaitAsync(TimeSpan.FromMilliseconds(1), Stop))
        {
            _time.Advance(TimeSpan.FromSeconds(30));
        }

        await end.CancelAsync();
        await running;
        Assert.Null(Reconnected);
    }

    private async Task InspectedAsync() => Assert.True(await _inspected.WaitAsync(TimeSpan.FromSeconds(30), Stop), "Waited for the store's settings to be read.");

    private StoreDurabilityMonitor NewMonitor() =>
        new(_inputs, _state, Options.Create(_options), _time, NullLogger<StoreDurabilityMonitor>.Instance, this);
}
