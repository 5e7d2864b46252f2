using System.Diagnostics;

namespace Mesh.Fuzz;

/// <summary>Runs fuzz cases against one server. Each case has its own seed: case n of a run with the first seed s is the only case of a run with the seed s + n.</summary>
public static class FuzzRun
{
    /// <summary>The limit for the growth of the server's memory, in bytes. The caller checks it, because the process contains the caller's memory too.</summary>
    public const long MemoryLimit = 32 * 1024 * 1024;

    private static readonly TimeSpan CaseLimit = TimeSpan.FromSeconds(30);

    /// <summary>Runs the cases until all are done or one fails.</summary>
    /// <param name="first">The first seed.</param>
    /// <param name="count">The number of cases, at least one.</param>
    /// <param name="progress">Called with the number of completed cases, after every 10,000 cases.</param>
    /// <param name="cancellationToken">Cancels the run.</param>
    public static async Task<FuzzReport> RunAsync(long first, int count, Action<int>? progress, CancellationToken cancellationToken)
    {
        // A run without a case must not succeed.
        ArgumentOutOfRangeException.ThrowIfLessThan(count, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(first, long.MaxValue - count);
        await using var server = await FuzzServer.StartAsync(cancellationToken);
        var tally = new ResponseCounter();
        var witness = new ControlPeer(server);
        using var enough = new CancellationTokenSource();
        var witnessing = witness.RunAsync(enough.Token);
        var clock = Stopwatch.StartNew();

        FuzzFailure? failure;
        long growth;
        try
        {
            // The first fifth of the cases causes the allocations that happen once.
            var warm = Math.Max(1, count / 5);
            failure = await RunAsync(server, first, warm, tally, done => progress?.Invoke(done), cancellationToken);
            var before = GC.GetTotalMemory(forceFullCollection: true);
            failure ??= await RunAsync(server, first + warm, count - warm, tally, done => progress?.Invoke(warm + done), cancellationToken);
            clock.Stop();
            growth = GC.GetTotalMemory(forceFullCollection: true) - before;
        }
        finally
        {
            await enough.CancelAsync();
            await witnessing.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }

        string? general = null;
        try
        {
            await witnessing;
            FuzzAssertionException.ThrowIf(!server.Runs, "the server's loop has ended");
            FuzzAssertionException.ThrowIf(server.Connections > 0, $"{server.Connections} connections are still open");
        }
        catch (Exception fault) when (fault is FuzzAssertionException or TimeoutException)
        {
            general = fault.Message;
        }

        return new FuzzReport(count, tally.Counts, failure, general, clock.Elapsed, growth, witness.Answers, witness.Slowest);
    }

    private static async Task<FuzzFailure?> RunAsync(FuzzServer server, long first, int count, ResponseCounter tally, Action<int> progress, CancellationToken cancellationToken)
    {
        FuzzFailure? failure = null;
        var done = 0;
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var options = new ParallelOptions { MaxDegreeOfParallelism = 4 * Environment.ProcessorCount, CancellationToken = stop.Token };
        try
        {
            await Parallel.ForAsync(first, first + count, options, async (seed, _) =>
            {
                if (await RunCaseAsync(server, seed, tally) is { } broken)
                {
                    Interlocked.CompareExchange(ref failure, broken, null);
                    await stop.CancelAsync();
                }

                if (Interlocked.Increment(ref done) % 10_000 == 0)
                {
                    progress(done);
                }
            });
        }
        catch (OperationCanceledException) when (failure is not null)
        {
            // The failure has cancelled the other cases.
        }

        return failure;
    }

    private static async Task<FuzzFailure?> RunCaseAsync(FuzzServer server, long seed, ResponseCounter tally)
    {
        var random = new Random(Mix(seed));
        using var limit = new CancellationTokenSource(CaseLimit, TimeProvider.System);
        try
        {
            await (random.Next(20) switch
            {
                < 9 => LineCase.RunAsync(server, random, tally, limit.Token),
                < 16 => WebSocketCase.RunAsync(server, random, tally, limit.Token),
                _ => HttpCase.RunAsync(server, random, tally, limit.Token),
            });
            return null;
        }
#pragma warning disable CA1031 // Any exception of a session is a failure of the case.
        catch (Exception exception)
#pragma warning restore CA1031
        {
            return new FuzzFailure(seed, exception switch
            {
                FuzzAssertionException => exception.Message,
                OperationCanceledException => $"the server did not finish the case within {CaseLimit}",
                _ => exception.ToString(),
            });
        }
    }

    // Spreads adjacent seeds over different cases. HashCode is not used, because its results differ between processes.
    private static int Mix(long seed)
    {
        var mixed = (ulong)seed * 0x9E3779B97F4A7C15;
        mixed = (mixed ^ (mixed >> 32)) * 0xD6E8FEB86659FD93;
        return (int)(mixed >> 33);
    }
}

/// <summary>A case that has failed.</summary>
/// <param name="Seed">The seed of the case.</param>
/// <param name="What">The description of the failure.</param>
public sealed record FuzzFailure(long Seed, string What)
{
    /// <summary>The command that runs only this case.</summary>
    public string Replay => $"dotnet run -c Release --project Mesh.Bench -- fuzz --seed {Seed} --count 1";
}

/// <summary>The result of a run.</summary>
/// <param name="Cases">The requested number of cases.</param>
/// <param name="Answers">The number of the server's answers by kind: types of messages and HTTP status codes.</param>
/// <param name="Failure">The first case that failed, or null.</param>
/// <param name="ServerFailure">A failure that affects the whole server, or null.</param>
/// <param name="Elapsed">The time of all cases.</param>
/// <param name="MemoryGrowth">The growth of the memory in bytes, after full collections, from the end of the first fifth of the cases to the end.</param>
/// <param name="ControlPeerResponses">The number of answers that the control peer received.</param>
/// <param name="ControlPeerSlowest">The longest time until one of these answers.</param>
public sealed record FuzzReport(
    int Cases,
    IReadOnlyDictionary<string, int> Answers,
    FuzzFailure? Failure,
    string? ServerFailure,
    TimeSpan Elapsed,
    long MemoryGrowth,
    int ControlPeerResponses,
    TimeSpan ControlPeerSlowest);
