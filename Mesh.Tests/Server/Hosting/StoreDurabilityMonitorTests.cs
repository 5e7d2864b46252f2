using Mesh.Server.Hosting.Options;
using Mesh.Server.Loop;
using Mesh.Server.Storage;
using Mesh.Server.StoreWriting;
using Mesh.Tests.Fixtures;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Mesh.Tests.Server.Hosting;

public sealed class StoreDurabilityMonitorTests : IStoreDurabilityInspector, IDisposable
{
    private static readonly StoreDurability Safe = new(StoreEviction.None, "", StorePersistence.AppendOnlyFile);
    private static readonly StoreDurability Evicting = new(StoreEviction.Possible, "maxmemory-policy is allkeys-lru", StorePersistence.AppendOnlyFile);

    private readonly CoreInputQueue _inputs = new();
    private readonly ServerReadiness _state = new();
    private readonly TimerTrackingTimeProvider _time = new();
    private readonly EventIds _logged = new();
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
    public async Task Check_StoreStartsToEvict_NotifiesTheLoopOnce()
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
    public async Task Check_StoreUnavailableOrUnreadable_StaysRefused()
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
    public async Task Check_EvictionAllowed_RefusesNothingAndWarnsOnce()
    {
        _options = _options with { Store = new() { AllowEviction = true } };
        _durability = Evicting;
        var monitor = NewMonitor();

        await monitor.CheckAsync(Stop);
        await monitor.CheckAsync(Stop);

        Assert.Null(_state.DurabilityRisk);
        Assert.False(_inputs.Reader.TryRead(out _));
        Assert.Equal([1602], _logged.Ids);
    }

    [Fact]
    public async Task Run_ReadsAtEachReconnectAndEveryThirtySeconds()
    {
        var interval = TimeSpan.FromSeconds(30);
        using var end = new CancellationTokenSource();
        var waiting = _time.NextTimerAsync(interval);
        var running = NewMonitor().RunAsync(end.Token);
        await InspectedAsync();
        await waiting;

        waiting = _time.NextTimerAsync(interval);
        Reconnected!.Invoke();
        await InspectedAsync();
        await waiting;

        _time.Advance(interval - TimeSpan.FromMilliseconds(1));
        Assert.Equal(0, _inspected.CurrentCount);
        _time.Advance(TimeSpan.FromMilliseconds(1));
        await InspectedAsync();

        await end.CancelAsync();
        await running;
        Assert.Null(Reconnected);
    }

    private async Task InspectedAsync() => await _inspected.WaitAsync(Stop).OrFailAsync("the store's settings to be read");

    private StoreDurabilityMonitor NewMonitor() =>
        new(_inputs, _state, Options.Create(_options), _time, _logged, this);

    private sealed class EventIds : ILogger<StoreDurabilityMonitor>
    {
        public List<int> Ids { get; } = [];

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) => Ids.Add(eventId.Id);
    }
}
