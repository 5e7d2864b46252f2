using System.Net;
using System.Text.RegularExpressions;
using Mesh.Fuzz;
using Mesh.Protocol;
using Mesh.Server.Listening;
using Mesh.Tests.Integration;
using Mesh.Tests.Publishing;
using Mesh.Transport;
using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.DependencyInjection;
using TaskStatus = Mesh.Protocol.TaskStatus;

namespace Mesh.Tests.Server.Telemetry;

/// <summary>docs/operations.md, "What to watch": each metric is recorded, with the tags of the table.</summary>
public sealed partial class MetricTagTests
{
    private const string Secret = "s3cret";

    private static readonly WorkerId First = new("w1");

    [Fact]
    public async Task Metrics_OfABusyServer_AreAllRecordedWithTheTagsOfTheTable()
    {
        await using var server = await TestServer.StartAsync(
            ("Mesh:Token", Secret),
            ("Mesh:Peers:0:Id", "server-b"),
            ("Mesh:Peers:0:Endpoint", "127.0.0.1:1"),
            ("Mesh:Sessions:IdleTimeout", "00:00:01"),
            ("Mesh:Sessions:MaxMessagesPerSecond", "5"));
        using var metrics = new RecordedMetrics(server);
        using (var response = await server.GetAsync("/status"))
        {
            Assert.Equal(HttpStatusCode.Unauthorized, response.StatusCode);
        }

        server.Http.DefaultRequestHeaders.Authorization = new("Bearer", Secret);
        await using var worker = await RunTaskAsync(server);
        await LendAndReleaseAsync(server, worker);
        await SendTooMuchAsync(server);
        await SendLinesFromAnAddressNotAllowedAsync(server);
        await server.PutAsync("/schedules/each-second", """{"cron":"* * * * * *","task":{"type":"QUERY","user":"maria"}}""");
        await Eventually.HoldsAsync("a schedule has fired", () => metrics.Sum("mesh.schedules.fired") >= 1);
        using var silent = await server.ConnectAsync();
        await Eventually.HoldsAsync("a silent connection is dropped", () => metrics.Sum("mesh.connections.dropped") >= 1);
        await using var borrowed = await server.DialAsync(Framing.WebSocket, Secret);
        borrowed.TrySend(new GetTask(new WorkerId("guest"), new ServerId("server-b")));
        await Eventually.HoldsAsync(
            "a loan is open",
            () =>
            {
                metrics.ReadGauges();
                return metrics.Sum("mesh.loans") >= 1;
            });

        var recorded = metrics.All.GroupBy(one => one.Name).Select(group =>
            $"{group.Key}: {string.Join(", ", group.SelectMany(one => one.Tags.Keys).Distinct().Order(StringComparer.Ordinal).Select(tag => $"`{tag}`"))}");
        Assert.Equal(Table().Order(StringComparer.Ordinal), recorded.Order(StringComparer.Ordinal));
    }

    [Theory]
    [InlineData(TaskOutcome.Ok, false, 3, "done")]
    [InlineData(TaskOutcome.Nok, true, 3, "returned")]
    [InlineData(TaskOutcome.Nok, false, 3, "retried")]
    [InlineData(TaskOutcome.Nok, false, 1, "dead")]
    public async Task Attempt_Ended_IsCountedByTypeAndResult(TaskOutcome outcome, bool handedBack, int maxAttempts, string result)
    {
        await using var server = await TestServer.StartAsync(("Mesh:Tasks:MaxAttempts", $"{maxAttempts}"));
        using var metrics = new RecordedMetrics(server);
        await using var worker = await server.DialAsync(Framing.WebSocket);
        worker.TrySend(new GetTask(First));
        await server.SubmitAsync("""{"type":"QUERY","user":"maria"}""");
        var task = await worker.ReceiveAsync<NewTask>();

        worker.TrySend(new TaskStatus(outcome, TaskType.Query, First) { Id = task.Id, HandedBack = handedBack });

        await worker.ReceiveAsync<Ack>();
        await Eventually.HoldsAsync(
            $"an attempt is counted as {result}",
            () => metrics.Sum("mesh.task.attempts", ("mesh.task.result", result), ("messaging.destination.name", "QUERY")) == 1,
            TimeSpan.FromSeconds(20),
            () => string.Join('\n', metrics.All));
        Assert.Equal(1, metrics.Sum("mesh.task.attempts"));
    }

    [Fact]
    public async Task Task_Cancelled_IsCountedAsCancelled()
    {
        await using var server = await TestServer.StartAsync();
        using var metrics = new RecordedMetrics(server);
        var id = await server.SubmitAsync("""{"type":"QUERY","user":"maria"}""");

        await server.DeleteAsync($"/tasks/{id}");

        await Eventually.HoldsAsync(
            "the task is counted as cancelled",
            () => metrics.Sum("mesh.task.attempts", ("mesh.task.result", "cancelled"), ("messaging.destination.name", "QUERY")) == 1);
        Assert.DoesNotContain(metrics.All, one => one.Name is "mesh.task.queue.duration" or "mesh.task.attempt.duration");
    }

    /// <summary>Name and tags of each row of the table of all metrics.</summary>
    private static IEnumerable<string> Table() => Row().Matches(File.ReadAllText(BuildOutput.Source("docs/operations.md")))
        .Select(row => $"{row.Groups[1].Value}: {string.Join(", ", row.Groups[2].Value.Split(", ", StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries).Order(StringComparer.Ordinal))}");

    private static async Task<MeshConnection> RunTaskAsync(TestServer server)
    {
        var worker = await server.DialAsync(Framing.WebSocket, Secret);
        worker.TrySend(new GetTask(First));
        await server.SubmitAsync("""{"type":"QUERY","user":"maria"}""");
        var task = await worker.ReceiveAsync<NewTask>();
        worker.TrySend(new TaskStatus(TaskOutcome.Ok, TaskType.Query, First) { Id = task.Id });
        await worker.ReceiveAsync<Ack>();
        return worker;
    }

    /// <summary>Lends a worker to server-b, which releases it at once; its next get_task ends the loan.</summary>
    private static async Task LendAndReleaseAsync(TestServer server, MeshConnection worker)
    {
        await using var other = await server.DialAsync(Framing.WebSocket, Secret);
        other.TrySend(new GetTask(new WorkerId("w2")));
        worker.TrySend(new GetTask(First));
        await Eventually.GetAsync(
            "two workers are idle",
            async () => (await server.GetJsonAsync("/status")).GetProperty("workers").EnumerateArray().Count(one => one.GetProperty("state").GetString() == "idle"),
            idle => idle == 2);
        await using var peer = await server.DialAsync(Framing.WebSocket, Secret);
        peer.TrySend(new WorkerRequest(new MeshEndpoint("127.0.0.1", 1)) { WorkersNeeded = 1, Server = new ServerId("server-b") });
        var lent = Assert.Single((await peer.ReceiveAsync<Available>()).Workers);
        var session = lent == First ? worker : other;
        await session.ReceiveAsync<Redirect>();
        peer.TrySend(new CommandRelease(new ServerId("server-b"), [lent]));
        await peer.ReceiveAsync<ReleaseAck>();
        session.TrySend(new GetTask(lent));
        await Eventually.GetAsync(
            "the loan has ended", async () => (await server.GetJsonAsync("/status")).GetProperty("loans").GetArrayLength(), loans => loans == 0);
    }

    private static async Task SendTooMuchAsync(TestServer server)
    {
        using var socket = await server.ConnectAsync();
        await socket.SayAsync(string.Concat(Enumerable.Repeat("{}\n", 9)));
        Assert.Contains("NOK", await socket.HearLineAsync(), StringComparison.Ordinal);
    }

    private static async Task SendLinesFromAnAddressNotAllowedAsync(TestServer server)
    {
        var link = new InMemoryConnection();
        await using var context = new DefaultConnectionContext("1", link.ServerEnd, link.ClientEnd) { RemoteEndPoint = new IPEndPoint(IPAddress.Parse("10.0.0.8"), 4000) };
        var served = server.Services.GetRequiredService<LineProtocolMiddleware>().OnConnectedAsync(context, _ => throw new InvalidOperationException("This is not HTTP."));
        await link.SendAndReadToEndAsync("{}\n"u8.ToArray(), TestContext.Current.CancellationToken);
        await served;
    }

    [GeneratedRegex(@"^\| `(mesh\.[a-z.]+)` \| \w+ \|[^|]*\|([^|]*)\|$", RegexOptions.Multiline)]
    private static partial Regex Row();
}
