using System.Collections.Concurrent;
using System.Globalization;

namespace Mesh.Bench.Chaos;

/// <summary>Does harm at random times to random targets, several at once, and mends each after a while.</summary>
internal sealed class Faults(ChaosMesh mesh, ChaosPlan plan, Action<string> tell, TimeProvider time)
{
    private readonly Random _random = new(plan.Seed);
    private readonly ConcurrentDictionary<object, bool> _busy = [];
    private readonly SortedDictionary<string, int> _counts = new(StringComparer.Ordinal);

    /// <summary>How often what was done.</summary>
    public IReadOnlyDictionary<string, int> Counts => _counts;

    /// <summary>Returns when the time is over and all is mended.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        var began = time.GetTimestamp();
        var open = new List<Task>();
        try
        {
            while (time.GetElapsedTime(began) < plan.Duration)
            {
                // Exponential: faults come in bunches, as they do.
                await Task.Delay(plan.FaultInterval * -Math.Log(1 - _random.NextDouble()), time, cancellationToken);
                open.RemoveAll(static fault => fault.IsCompletedSuccessfully);
                open.Add(OneAsync(cancellationToken));
            }
        }
        finally
        {
            await Task.WhenAll(open);
        }
    }

    private Task OneAsync(CancellationToken cancellationToken) => _random.Next(100) switch
    {
        < 15 => ProcessAsync("server killed", Pick(mesh.Servers), (process, down) => process.Kill(down), 15, cancellationToken),
        < 20 => ProcessAsync("server asked to stop", Pick(mesh.Servers), (process, down) => process.Terminate(down), 5, cancellationToken),
        < 32 => FreezeAsync("server frozen", Pick(mesh.Servers), 15, cancellationToken),
        < 50 => ProcessAsync("worker killed", Pick(mesh.Workers), (process, down) => process.Kill(down), 10, cancellationToken),
        < 55 => ProcessAsync("worker asked to stop", Pick(mesh.Workers), (process, down) => process.Terminate(down), 5, cancellationToken),
        < 68 => FreezeAsync("worker frozen", Pick(mesh.Workers), 20, cancellationToken),
        < 73 => ProcessAsync("redis killed", Pick([mesh.Redis]), (process, down) => process.Kill(down), 8, cancellationToken),
        < 77 => FreezeAsync("redis frozen", Pick([mesh.Redis]), 8, cancellationToken),
        < 88 => CutAsync(Pick([.. mesh.Proxies])),
        _ => SilenceAsync(Pick([.. mesh.Proxies]), 12, cancellationToken),
    };

    private Task ProcessAsync(string what, ChaosProcess? target, Action<ChaosProcess, TimeSpan> take, double most, CancellationToken cancellationToken) =>
        DoAsync(what, target, target?.Name, most, down => take(target!, down), () => { }, cancellationToken);

    private Task FreezeAsync(string what, ChaosProcess? target, double most, CancellationToken cancellationToken) =>
        DoAsync(what, target, target?.Name, most, _ => target!.Freeze(), () => target!.Thaw(), cancellationToken);

    private Task CutAsync(TcpProxy? target) =>
        DoAsync("connections cut", target, target?.Name, 0, _ => target!.Cut(), () => { }, CancellationToken.None);

    private Task SilenceAsync(TcpProxy? target, double most, CancellationToken cancellationToken) =>
        DoAsync("connections half open", target, target?.Name, most, _ => target!.FallSilent(), () => target!.Speak(), cancellationToken);

    /// <param name="most">Seconds that it may last.</param>
    private async Task DoAsync(string what, object? target, string? name, double most, Action<TimeSpan> harm, Action mend, CancellationToken cancellationToken)
    {
        if (target is null)
        {
            // All such targets are under one fault already.
            return;
        }

        var lasts = TimeSpan.FromSeconds(Math.Round(_random.NextDouble() * _random.NextDouble() * most, 2));
        _counts[what] = _counts.GetValueOrDefault(what) + 1;
        tell(string.Create(CultureInfo.InvariantCulture, $"{what}: {name}{(most > 0 ? $", for {lasts.TotalSeconds:0.0} s" : "")}"));
        harm(lasts);
        await Task.Delay(lasts, time, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        mend();
        _busy.TryRemove(target, out _);
    }

    private T? Pick<T>(IReadOnlyList<T> targets)
        where T : class
    {
        var free = targets.Where(target => !_busy.ContainsKey(target)).ToArray();
        if (free.Length == 0)
        {
            return null;
        }

        var one = free[_random.Next(free.Length)];
        _busy[one] = true;
        return one;
    }
}
