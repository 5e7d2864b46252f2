using System.Diagnostics;

namespace Mesh.Fuzz;

/// <summary>Cases by the number, each from a seed of its own: case n of a run from seed s is the only case of a run from seed s + n.</summary>
public static class FuzzRun
{
    /// <summary>More than a server's memory may grow between an early and a late moment, bytes; it is for the caller to judge, whose memory it is too.</summary>
    public const long MemoryLimit = 32 * 1024 * 1024;

    private static readonly TimeSpan CaseLimit = TimeSpan.FromSeconds(30);

    /// <param name="first">The first seed.</param>
    /// <param name="count">Cases; at least one.</param>
    /// <param name="progress">Told now and then how many are done.</param>
    /// <param name="cancellationToken">Ends the run early.</param>
    public static async Task<FuzzReport> RunAsync(long first, int count, Action<int>? progress, CancellationToken cancellationToken)
    {
        // A check that checks nothing must not pass.
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
            // What is allocated once is there after the first fifth.
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
            // It is what is told.
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
#pragma warning disable CA1031 // Whatever comes out of a session is what this looks for.
        catch (Exception exception)
#pragma warning restore CA1031
        {
            return new FuzzFailure(seed, exception switch
            {
                FuzzAssertionException => exception.Message,
                OperationCanceledException => $"the server did not come to an end within {CaseLimit}",
                _ => exception.ToString(),
            });
        }
    }

    // Neighbouring seeds must not give neighbouring cases; the same on every machine, which HashCode is not.
    private static int Mix(long seed)
    {
        var mixed = (ulong)seed * 0x9E3779B97F4A7C15;
        mixed = (mixed ^ (mixed >> 32)) * 0xD6E8FEB86659FD93;
        return (int)(mixed >> 33);
    }
}

/// <param name="Seed">Replays it.</param>
/// <param name="What">What was broken, in words.</param>
public sealed record FuzzFailure(long Seed, string What)
{
    /// <summary>The command that runs this case alone.</summary>
    public string Replay => $"dotnet run -c Release --project Mesh.Bench -- fuzz --seed {Seed} --count 1";
}

/// <param name="Cases">How many there were to be.</param>
/// <param name="Answers">How often the server answered what: kinds of messages and HTTP status codes.</param>
/// <param name="Failure">The first case that failed, or null.</param>
/// <param name="ServerFailure">What went wrong with the server as a whole, or null.</param>
/// <param name="Elapsed">Of all cases.</param>
/// <param name="MemoryGrowth">In bytes, after a full collection, from the end of the first fifth to the end.</param>
/// <param name="ControlPeerResponses">Answers that an undisturbed peer had meanwhile.</param>
/// <param name="ControlPeerSlowest">The slowest of them.</param>
public sealed record FuzzReport(
    int Cases,
    IReadOnlyDictionary<string, int> Answers,
    FuzzFailure? Failure,
    string? ServerFailure,
    TimeSpan Elapsed,
    long MemoryGrowth,
    int ControlPeerResponses,
    TimeSpan ControlPeerSlowest);
