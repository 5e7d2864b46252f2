using System.Collections.Concurrent;
using MeshAspire.Client;
using MeshClient = MeshAspire.Client.MeshClient;

namespace Mesh.Tests.Client;

/// <summary>Submits UPDATEs of 1 to one account, and records the outcome that the client reports for each.</summary>
internal sealed class ClientChaosLoad(MeshClient client, string user, int seed)
{
    private readonly ConcurrentQueue<string> _accepted = [];
    private readonly ConcurrentQueue<MeshTaskRequest> _unknown = [];
    private int _submitted;
    private int _full;
    private int _unavailable;

    /// <summary>The ids of the tasks that were reported as accepted.</summary>
    public IReadOnlyCollection<string> Accepted => _accepted;

    /// <summary>The number of tasks whose submission ended with an unknown outcome, before they were submitted again.</summary>
    public int Unknown { get; private set; }

    public int Submitted => _submitted;

    /// <summary>The number of tasks that were reported as not accepted because queues were full.</summary>
    public int RefusedFull => _full;

    /// <summary>The number of tasks that were reported as not accepted because no server was available.</summary>
    public int RefusedUnavailable => _unavailable;

    /// <summary>Submits until the token is cancelled. The submissions that have begun are completed.</summary>
    public Task RunAsync(int concurrency, CancellationToken ends) => Task.WhenAll(Enumerable.Range(0, concurrency).Select(number => SubmitAsync(new Random(seed + number), number, ends)));

    /// <summary>Submits the tasks with an unknown outcome again, as the exception says, until each is accepted.</summary>
    public async Task ResolveAsync(CancellationToken cancellationToken)
    {
        Unknown = _unknown.Count;
        while (_unknown.TryDequeue(out var task))
        {
            try
            {
                _accepted.Enqueue(await client.SubmitAsync(task, cancellationToken));
            }
            catch (MeshException)
            {
                // Refused now. The earlier submission may still have been accepted, so the outcome stays unknown until the task is accepted.
                _unknown.Enqueue(task);
            }
        }
    }

    private async Task SubmitAsync(Random random, int number, CancellationToken ends)
    {
        for (var i = 0; !ends.IsCancellationRequested; i++)
        {
            var (one, kind) = (MeshTaskRequest.Update(user, 1), random.Next(10));
            MeshTaskRequest[] tasks = kind switch
            {
                0 => [.. Enumerable.Repeat(one, 5)],
                1 => [one with { Options = new() { Id = $"{user}/{number}/{i}" } }],
                _ => [one],
            };
            Interlocked.Add(ref _submitted, tasks.Length);
            await ReportAsync(tasks, async () => tasks.Length == 1 ? [await client.SubmitAsync(tasks[0], CancellationToken.None)] : await client.SubmitManyAsync(tasks, CancellationToken.None));
            await Task.Delay(TimeSpan.FromMilliseconds(random.Next(20)), TimeProvider.System, CancellationToken.None);
        }
    }

    private async Task ReportAsync(MeshTaskRequest[] tasks, Func<Task<IReadOnlyList<string>>> submit)
    {
        try
        {
            Add(_accepted, await submit());
        }
        catch (TaskOutcomeUnknownException exception)
        {
            Add(_unknown, exception.Tasks);
        }
        catch (PartialSubmissionException exception)
        {
            Add(_accepted, exception.Accepted);
            Add(_unknown, exception.Unknown);
            Interlocked.Add(ref _full, exception.NotAccepted.Count);
        }
        catch (QueueFullException)
        {
            Interlocked.Add(ref _full, tasks.Length);
        }
        catch (MeshUnavailableException)
        {
            Interlocked.Add(ref _unavailable, tasks.Length);
        }
    }

    private static void Add<T>(ConcurrentQueue<T> queue, IEnumerable<T> items)
    {
        foreach (var item in items)
        {
            queue.Enqueue(item);
        }
    }
}
