using System.Collections.Concurrent;
using System.Globalization;

namespace Mesh.Bench.Chaos;

/// <summary>Injects faults into random targets at random times, several at once, and ends each fault after a random time.</summary>
internal sealed class ChaosFaultInjector(ChaosMesh mesh, ChaosPlan plan, Action<string> writeProgress, TimeProvider time)
{
    private readonly Random _random = new(plan.Seed);
    private readonly ConcurrentDictionary<object, bool> _busy = [];
    private readonly SortedDictionary<string, int> _counts = new(StringComparer.Ordinal);

    /// <summary>The number of injected faults by their kind.</summary>
    public IReadOnlyDictionary<string, int> Counts => _counts;

    /// <summary>Injects faults for the duration of the plan, and returns when all of them have ended.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        var began = time.GetTimestamp();
        var open = new List<Task>();
        try
        {
            while (time.GetElapsedTime(began) < plan.Duration)
            {
                // Exponential intervals produce clusters of faults.
                await Task.Delay(plan.FaultInterval * -Math.Log(1 - _random.NextDouble()), time, cancellationToken);
                open.RemoveAll(static fault => fault.IsCompletedSuccessfully);
                open.Add(InjectOneAsync(cancellationToken));
            }
        }
        finally
        {
            await Task.WhenAll(open);
        }
    }

    private Task InjectOneAsync(CancellationToken cancellationToken) => _random.Next(100) switch
    {
        < 15 => ProcessAsync("server killed", Pick(mesh.Servers), (process, down) => process.Kill(down), 15, cancellationToken),
        < 20 => ProcessAsync("server asked to stop", Pick(mesh.Servers), (process, down) => process.Terminate(down), 5, cancellationToken),
        < 32 => FreezeAsync("server frozen", Pick(mesh.Servers), 15, cancellationToken),
        < 50 => ProcessAsync("worker killed", Pick(mesh.Workers), (process, down) => process.Kill(down), 10, cancellationToken),
        < 55 => ProcessAsync("worker asked to stop", Pick(mesh.Workers), (process, down) => process.Terminate(down), 5, cancellationToken),
        < 68 => FreezeAsync("worker frozen", Pick(mesh.Workers), 20, cancellationToken),
        < 72 => ProcessAsync("redis killed", Pick(RedisProcesses), (process, down) => process.Kill(down), 8, cancellationToken),
        < 75 => FreezeAsync("redis frozen", Pick(RedisProcesses), 8, cancellationToken),
        < 78 => RejectCommandsAsync(outOfMemory: _random.Next(2) == 0, cancellationToken),
        < 81 => FailOverAsync(),
        < 90 => ResetConnectionsAsync(Pick([.. mesh.Proxies])),
        _ => StallConnectionsAsync(Pick([.. mesh.Proxies]), 12, cancellationToken),
    };

    private Task ProcessAsync(string what, ChaosProcess? target, Action<ChaosProcess, TimeSpan> take, double most, CancellationToken cancellationToken) =>
        InjectAsync(what, target, target?.Name, most, down => Done(() => take(target!, down)), Nothing, cancellationToken);

    private Task FreezeAsync(string what, ChaosProcess? target, double most, CancellationToken cancellationToken) =>
        InjectAsync(what, target, target?.Name, most, _ => Done(target!.Freeze), () => Done(target!.Unfreeze), cancellationToken);

    private ChaosProcess[] RedisProcesses => [.. mesh.Redis.Select(node => node.Process)];

    private Task RejectCommandsAsync(bool outOfMemory, CancellationToken cancellationToken)
    {
        var target = Pick(RedisProcesses);
        var node = mesh.Redis.FirstOrDefault(node => node.Process == target);
        return InjectAsync(
            outOfMemory ? "redis out of memory" : "redis without permission", target, node?.Process.Name, 8,
            _ => node!.RejectCommandsAsync(outOfMemory), () => node!.AcceptCommandsAsync(), cancellationToken);
    }

    // Both nodes must be free of other faults.
    private async Task FailOverAsync()
    {
        if (Pick(RedisProcesses) is not { } first)
        {
            return;
        }

        if (Pick(RedisProcesses) is { } second)
        {
            await InjectAsync("redis fails over", second, $"{mesh.Redis[0].Process.Name}, {mesh.Redis[1].Process.Name}", 0, _ => mesh.Redis[0].FailOverAsync(mesh.Redis[1]), Nothing, CancellationToken.None);
        }

        _busy.TryRemove(first, out _);
    }

    private static Task Nothing() => Task.CompletedTask;

    private static Task Done(Action act)
    {
        act();
        return Task.CompletedTask;
    }

    private Task ResetConnectionsAsync(TcpProxy? target) =>
        InjectAsync("connections cut", target, target?.Name, 0, _ => Done(target!.ResetConnections), Nothing, CancellationToken.None);

    private Task StallConnectionsAsync(TcpProxy? target, double most, CancellationToken cancellationToken) =>
        InjectAsync("connections half open", target, target?.Name, most, _ => Done(target!.PauseForwarding), () => Done(target!.ResumeForwarding), cancellationToken);

    /// <param name="most">The longest duration, in seconds.</param>
    private async Task InjectAsync(string what, object? target, string? name, double most, Func<TimeSpan, Task> harm, Func<Task> mend, CancellationToken cancellationToken)
    {
        if (target is null)
        {
            // Each of these targets has a fault already.
            return;
        }

        var lasts = TimeSpan.FromSeconds(Math.Round(_random.NextDouble() * _random.NextDouble() * most, 2));
        _counts[what] = _counts.GetValueOrDefault(what) + 1;
        writeProgress(string.Create(CultureInfo.InvariantCulture, $"{what}: {name}{(most > 0 ? $", for {lasts.TotalSeconds:0.0} s" : "")}"));
        await harm(lasts);
        await Task.Delay(lasts, time, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await mend();
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
