using System.Diagnostics;
using Mesh.Bench.CommandLine;
using MeshAspire.Client;

namespace Mesh.Bench.Load;

/// <summary>Submits the tasks of a run in batches. Several submitters share the tasks.</summary>
internal sealed class Submitter(LoadPlan plan, MeshClient client, TaskTimes times)
{
    private static readonly TimeSpan RetryDelay = TimeSpan.FromSeconds(1);

    private int _next;

    public Task RunAsync(CancellationToken cancellationToken) =>
        Task.WhenAll(Enumerable.Range(0, plan.Submitters).Select(_ => SubmitAllAsync(cancellationToken)));

    private async Task SubmitAllAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            var first = Interlocked.Add(ref _next, plan.Batch) - plan.Batch;
            if (first >= plan.Tasks)
            {
                return;
            }

            await SubmitAsync(first, Math.Min(plan.Batch, plan.Tasks - first), cancellationToken);
        }
    }

    private async Task SubmitAsync(int first, int count, CancellationToken cancellationToken)
    {
        MeshTaskRequest[] tasks = [.. Enumerable.Range(first, count).Select(task => MeshTaskRequest.Query(times.UserOf(task)))];
        while (true)
        {
            var posted = Stopwatch.GetTimestamp();
            try
            {
                await client.SubmitManyAsync(tasks, cancellationToken);
                times.SetAccepted(first, count, posted, Stopwatch.GetTimestamp());
                return;
            }
            catch (Exception exception) when (exception is QueueFullException or MeshUnavailableException)
            {
                times.SetRefused(posted, Stopwatch.GetTimestamp());
                await Task.Delay(RetryDelay, TimeProvider.System, cancellationToken);
            }
            catch (MeshException exception)
            {
                throw new BenchException(exception.Message, exception);
            }
        }
    }
}
