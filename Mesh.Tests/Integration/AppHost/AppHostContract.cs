using System.Net;
using System.Text.Json.Nodes;
using Aspire.Hosting.ApplicationModel;
using Aspire.Hosting.Testing;
using Mesh.Tests.Fixtures;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using StackExchange.Redis;

namespace Mesh.Tests.Integration.AppHost;

/// <summary>The whole composition, as a user of it sees it, each test from a mesh at rest.</summary>
public abstract class AppHostContract(MeshApp mesh) : IAsyncLifetime
{
    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => await mesh.AtRestAsync();

    public ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        return ValueTask.CompletedTask;
    }

    [Fact]
    public async Task AppHost_Started_AllResourcesAreHealthy()
    {
        foreach (var resource in MeshApp.Resources)
        {
            var news = await mesh.App.ResourceNotifications.WaitForResourceHealthyAsync(resource, Cancelled);
            Assert.Equal((HealthStatus.Healthy, KnownResourceStates.Running), (news.Snapshot.HealthStatus, news.Snapshot.State?.Text));
        }

        Assert.Equal("http", mesh.App.GetEndpoint("server-a", "http").Scheme);
        Assert.Contains("password=", await mesh.App.GetConnectionStringAsync("redis", Cancelled), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Tasks_OfBothTypes_Settle()
    {
        var user = RedisFixture.Unique("maria");
        await mesh.A.SetBalanceAsync(user, 100);
        var update = (await mesh.A.SubmitAsync(new { type = "UPDATE", user, amount = 12.5 })).Single();
        var done = await SettledAsync(mesh.A, update);
        Assert.Equal(("done", 112.5m), ((string)done["state"]!, (decimal)done["result"]!));

        // The accounts are one ledger: the other server sees the same balance.
        var ids = await mesh.B.SubmitAsync(new { type = "QUERY", user }, new { type = "QUERY", user = "nobody" });
        var query = await SettledAsync(mesh.B, ids[0]);
        Assert.Equal(("done", 112.5m), ((string)query["state"]!, (decimal)query["result"]!));
        var dead = await SettledAsync(mesh.B, ids[1]);
        Assert.Equal(("dead", "unknown user"), ((string)dead["state"]!, (string)dead["error"]!));
    }

    [Fact]
    public async Task Task_OverServerAndWorker_IsOneTrace()
    {
        var id = (await mesh.A.SubmitAsync(new { type = "QUERY", user = "nobody" })).Single();
        var traceId = (string)(await SettledAsync(mesh.A, id))["traceId"]!;
        var trace = await mesh.Spans.TraceAsync(
            $"the spans of task {id}, up to its submission",
            spans => spans[0].Trace == traceId
                && spans.Any(span => span.Name == "process QUERY" && Ancestors(spans, span).Any(above => above.Name == "submit QUERY")));

        var process = trace.First(span => span.Name == "process QUERY");
        Assert.Equal("workers-a", process.Service);
        var above = Ancestors(trace, process);
        Assert.Equal(("dispatch QUERY", "server-a"), (above[0].Name, above[0].Service));
        Assert.Equal("server-a", above.Single(span => span.Name == "submit QUERY").Service);
    }

    [Fact]
    public async Task Loan_GoesThroughAllItsStepsAndBack_AndBalancesAddUp()
    {
        var user = RedisFixture.Unique("joao");
        await mesh.A.SetBalanceAsync(user, 0);
        var (submitted, guest) = await BorrowAsync(user);
        Assert.Contains(MeshTests.Loans(await mesh.B.StatusAsync()), loan => (string)loan["borrower"]! == "server-a");

        await mesh.AtRestAsync();
        Assert.Equal(submitted, await mesh.B.BalanceAsync(user));
        Assert.Contains(guest, MeshApp.IdleAtHome(await mesh.B.StatusAsync()));
        await mesh.Spans.TraceAsync("a loan as one trace", spans => Has(
            spans, ("request workers", "server-a"), ("lend worker", "server-b"), ("join borrower", "workers-b"), ("worker arrives", "server-a"), ("first task", "server-a")));
        await mesh.Spans.TraceAsync("its return as one trace", spans => Has(
            spans, ("release workers", "server-a"), ("go home", "workers-b"), ("worker comes home", "server-b"), ("loan completed", "server-a")));
    }

    [Fact]
    public async Task Server_KilledWithTasksAndLoans_TakesThemUpAgain()
    {
        var user = RedisFixture.Unique("ana");
        await mesh.A.SetBalanceAsync(user, 0);
        var before = (int)(await mesh.A.StatusAsync())["done"]!;
        var (submitted, _) = await BorrowAsync(user);

        var server = (await ReplicaProcess.OfAsync(mesh.App, "server-a", 1)).Single();
        await server.KillAsync(mesh.App);
        await server.StartAsync(mesh.App);
        await mesh.App.ResourceNotifications.WaitForResourceHealthyAsync("server-a", Cancelled);
        await mesh.AtRestAsync();
        Assert.Equal(before + submitted, (int)(await mesh.A.StatusAsync())["done"]!);
        Assert.Equal(submitted, await mesh.A.BalanceAsync(user));
    }

    [Fact]
    public async Task Workers_Killed_AreReplacedAndTheirTasksRunElsewhere()
    {
        var user = RedisFixture.Unique("carlos");
        await mesh.B.SetBalanceAsync(user, 0);
        var old = MeshApp.IdleAtHome(await mesh.B.StatusAsync());
        var processes = await ReplicaProcess.OfAsync(mesh.App, "workers-b", 4);
        // Enough that no worker is without a task before it is killed.
        var ids = await mesh.B.SubmitAsync(Updates(user, 60));
        await mesh.B.StatusAsync("all four work", status => (int)status["running"]! >= 4, mesh.A);
        await Task.WhenAll(processes.Select(process => process.KillAsync(mesh.App)));
        await Task.WhenAll(processes.Select(process => process.StartAsync(mesh.App)));

        var settled = await Task.WhenAll(ids.Select(id => SettledAsync(mesh.B, id)));
        Assert.All(settled, task => Assert.Equal("done", (string)task["state"]!));
        Assert.Contains(settled, task => (int)task["attempts"]! > 1);
        Assert.Equal(60m, await mesh.B.BalanceAsync(user));
        await mesh.AtRestAsync();
        Assert.Empty(old.Intersect(MeshApp.IdleAtHome(await mesh.B.StatusAsync())));
    }

    [Fact]
    public async Task Redis_Restarted_LosesNothing()
    {
        var user = RedisFixture.Unique("luiza");
        await mesh.A.SetBalanceAsync(user, 0);
        await mesh.A.SubmitAsync(Updates(user, 60));
        await mesh.A.StatusAsync("tasks run", status => (int)status["running"]! > 0, mesh.B);

        var restart = mesh.App.ResourceCommands.ExecuteCommandAsync("redis", KnownResourceCommands.RestartCommand, Cancelled);
        var accepted = 60;
        do
        {
            // What is answered 503 meanwhile was not accepted.
            using var response = await mesh.A.PostAsync(Updates(user, 1));
            Assert.True(response.StatusCode is HttpStatusCode.Accepted or HttpStatusCode.ServiceUnavailable, $"{response.StatusCode}");
            accepted += response.StatusCode is HttpStatusCode.Accepted ? 1 : 0;
        }
        while (!restart.IsCompleted && accepted < 100);

        var result = await restart;
        Assert.True(result.Success, result.Message);
        await mesh.App.ResourceNotifications.WaitForResourceHealthyAsync("redis", Cancelled);
        await mesh.App.ResourceNotifications.WaitForResourceHealthyAsync("server-a", Cancelled);
        await mesh.AtRestAsync();
        Assert.Equal(accepted, await mesh.A.BalanceAsync(user));
    }

    [Fact]
    public async Task Redis_WithScriptsOfManyConnectionsAtOnce_ServesThemAll()
    {
        var (key, address) = (RedisFixture.Unique("count"), (await mesh.App.GetConnectionStringAsync("redis", Cancelled))!);
        var counts = await Task.WhenAll(Enumerable.Range(0, 32).Select(_ => IncrementAsync())).WaitAsync(TimeSpan.FromSeconds(30), Cancelled);
        Assert.Equal(32 * 20, counts.Max());

        async Task<long> IncrementAsync()
        {
            await using var connection = await ConnectionMultiplexer.ConnectAsync(address);
            var count = 0L;
            for (var i = 0; i < 20; i++)
            {
                count = (long)await connection.GetDatabase().ScriptEvaluateAsync("return redis.call('INCR', KEYS[1])", [key]);
            }

            return count;
        }
    }

    /// <summary>Keeps server A under load until a guest works there: a peer that has refused, or failed, is left alone for up to 16 s.</summary>
    private async Task<(int Submitted, string Guest)> BorrowAsync(string user)
    {
        var submitted = 0;
        var status = await Eventually.GetAsync(
            "a guest works at server-a",
            async () =>
            {
                var now = await mesh.A.StatusAsync();
                if ((int)now["queue"]! < 60)
                {
                    submitted += (await mesh.A.SubmitAsync(Updates(user, 60))).Length;
                }

                return now;
            },
            status => Guests(status).Any(),
            details: () => mesh.A.Output);
        return (submitted, Guests(status).First());
    }

    private static object[] Updates(string user, int count) => [.. Enumerable.Range(0, count).Select(_ => (object)new { type = "UPDATE", user, amount = 1 })];

    private Task<JsonNode> SettledAsync(MeshClient server, string id) => Eventually.GetAsync(
        $"task {id} is settled", () => server.GetAsync($"/tasks/{id}"), task => (string)task["state"]! is "done" or "dead", details: () => mesh.A.Output);

    private static IEnumerable<string> Guests(JsonNode status) => MeshTests.Workers(status)
        .Where(worker => (string)worker["home"]! != (string)status["id"]!).Select(worker => (string)worker["id"]!);

    private static bool Has(Span[] trace, params (string Name, string Service)[] steps) =>
        steps.All(step => trace.Any(span => (span.Name, span.Service) == step));

    private static Span[] Ancestors(Span[] trace, Span span)
    {
        var above = new List<Span>();
        for (var at = trace.FirstOrDefault(one => one.Id == span.Parent); at is not null; at = trace.FirstOrDefault(one => one.Id == at.Parent))
        {
            above.Add(at);
        }

        return [.. above];
    }
}
