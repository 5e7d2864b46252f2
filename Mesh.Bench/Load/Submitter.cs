using System.Diagnostics;
using System.Net;
using System.Net.Http.Headers;
using System.Text;
using Mesh.Bench.CommandLine;

namespace Mesh.Bench.Load;

/// <summary>Posts the tasks of a run in batches. Several submitters share the tasks.</summary>
internal sealed class Submitter(LoadPlan plan, HttpClient http, TaskTimes times)
{
    private static readonly MediaTypeHeaderValue Json = new("application/json");
    private static readonly TimeSpan DefaultRetry = TimeSpan.FromSeconds(1);

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
        var body = Body(first, count);
        while (true)
        {
            using var content = new ByteArrayContent(body);
            content.Headers.ContentType = Json;
            var posted = Stopwatch.GetTimestamp();
            using var answer = await http.PostAsync(new Uri("/tasks", UriKind.Relative), content, cancellationToken);
            switch (answer.StatusCode)
            {
                case HttpStatusCode.Accepted:
                    times.SetAccepted(first, count, posted, Stopwatch.GetTimestamp());
                    return;
                case HttpStatusCode.TooManyRequests or HttpStatusCode.ServiceUnavailable:
                    times.SetRefused(posted, Stopwatch.GetTimestamp());
                    await Task.Delay(answer.Headers.RetryAfter?.Delta ?? DefaultRetry, TimeProvider.System, cancellationToken);
                    break;
                default:
                    throw new BenchException($"POST /tasks answered {(int)answer.StatusCode}: {await answer.Content.ReadAsStringAsync(cancellationToken)}");
            }
        }
    }

    private byte[] Body(int first, int count)
    {
        var body = new StringBuilder("[", count * 48);
        for (var task = first; task < first + count; task++)
        {
            body.Append(task == first ? "" : ",").Append("{\"type\":\"QUERY\",\"user\":\"").Append(times.UserOf(task)).Append("\"}");
        }

        return Encoding.UTF8.GetBytes(body.Append(']').ToString());
    }
}
