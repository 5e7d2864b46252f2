using System.Diagnostics;

namespace Mesh.Tests.Integration;

/// <summary>Waits for conditions in other processes.</summary>
internal static class Eventually
{
    private static readonly TimeSpan Step = TimeSpan.FromMilliseconds(20);

    /// <summary>Returns the first value that satisfies; fails, telling what was awaited and the last value, after the limit (90 s).</summary>
    public static async Task<T> GetAsync<T>(string awaited, Func<Task<T>> get, Func<T, bool> satisfies, TimeSpan? limit = null, Func<string>? details = null)
    {
        var watch = Stopwatch.StartNew();
        while (true)
        {
            T value;
            try
            {
                value = await get();
            }
            catch (Exception fault) when (details is not null && fault is HttpRequestException or IOException)
            {
                throw new InvalidOperationException($"Waited {watch.Elapsed.TotalSeconds:0.0} s for: {awaited}. {fault.Message}\n{details?.Invoke()}", fault);
            }

            if (satisfies(value))
            {
                return value;
            }

            if (watch.Elapsed > (limit ?? TimeSpan.FromSeconds(90)))
            {
                Assert.Fail($"Waited {watch.Elapsed.TotalSeconds:0.0} s for: {awaited}. Last seen: {value}\n{details?.Invoke()}");
            }

            await Task.Delay(Step, TimeProvider.System, TestContext.Current.CancellationToken);
        }
    }

    public static Task HoldsAsync(string awaited, Func<bool> condition, TimeSpan? limit = null, Func<string>? details = null) =>
        GetAsync(awaited, () => Task.FromResult(condition()), holds => holds, limit, details);
}
