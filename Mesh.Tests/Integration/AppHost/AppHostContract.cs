using System.Net;
using System.Text.Json.Nodes;
using Aspire.Hosting.ApplicationModel;
using Aspire.Hosting.Testing;
using Mesh.Tests.Fixtures;
using Mesh.Tests.Integration.Telemetry;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace Mesh.Tests.Integration.AppHost;

/// <summary>Tests of the whole application as a user sees it. Each test begins when the mesh has no tasks and no loans.</summary>
public abstract class AppHostContract(MeshApp mesh) : IAsyncLifetime
{
    private static readonly string[] LoanLines = ["server-b    | Lending ", "server-a    | Borrowed from server-b: ", "server-b    | Returned from server-a: "];

    protected static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        mesh.SkipUnlessRunning();
        await mesh.AtRestAsync();
    }

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

        Assert.Contains("password=", await mesh.ConnectionStringAsync(), StringComparison.Ordinal);
        Assert.True(mesh.App.ResourceNotifications.TryGetCurrentState("server-a", out var server));
        Assert.Equal(["API", "Map"], server.Snapshot.Urls.Select(url => url.DisplayProperties.DisplayName).Order());
        Assert.Equal(mesh.App.GetEndpoint("server-a", "http").Authority, (string)(await mesh.A.StatusAsync())["advertise"]!);
        Assert.Contains(server.Snapshot.Relationships, relation => (relation.Type, relation.ResourceName) == ("Peer", "server-b"));
    }

    [Fact]
    public async Task Task_OverServerAndWorker_IsDoneInOneTrace()
    {
        var user = RedisFixture.Unique("maria");
        await mesh.A.SetBalanceAsync(user, 100);
        var id = (await mesh.A.SubmitAsync(new { type = "UPDATE", user, amount = 12.5 })).Single();
        var done = await SettledAsync(mesh.A, id);
        Assert.Equal(("done", 112.5m), ((string)done["state"]!, (decimal)done["result"]!));
        // Both servers use the same ledger.
        Assert.Equal(112.5m, await mesh.B.BalanceAsync(user));

        var traceId = (string)done["traceId"]!;
        var trace = await mesh.Spans.TraceAsync(
            $"the spans of task {id}, up to its submission",
            spans => spans[0].Trace == traceId
                && spans.Any(span => span.Name == "process UPDATE" && Ancestors(spans, span).Any(above => above.Name == "submit UPDATE")));
        var process = trace.First(span => span.Name == "process UPDATE");
        Assert.Equal("workers-a", process.Service);
        var above = Ancestors(trace, process);
        Assert.Equal(("dispatch UPDATE", "server-a"), (above[0].Name, above[0].Service));
        Assert.Equal("server-a", above.Single(span => span.Name == "submit UPDATE").Service);
    }

    [Fact]
    public async Task Loan_UnderLoad_PassesAllStepsAndBalancesAreExact()
    {
        var user = RedisFixture.Unique("joao");
        await mesh.A.SetBalanceAsync(user, 0);

        // Earlier tests of this class have left lines and traces of their own loans.
        var (written, earlier) = (mesh.Console.Length, mesh.Spans.Traces.Select(trace => trace.Id).ToHashSet());
        var (submitted, guest) = await BorrowAsync(user);
        Assert.Contains(MeshTests.Loans(await mesh.B.StatusAsync()), loan => (string)loan["borrower"]! == "server-a");

        await mesh.AtRestAsync();
        Assert.Equal(submitted.Length, await mesh.B.BalanceAsync(user));
        Assert.Contains(guest, MeshApp.IdleAtHome(await mesh.B.StatusAsync()));
        await mesh.Spans.TraceAsync("a loan as one trace", spans => !earlier.Contains(spans[0].Trace) && Has(
            spans, ("request workers", "server-a"), ("lend worker", "server-b"), ("join borrower", "workers-b"), ("worker arrives", "server-a"), ("first task", "server-a")));
        await mesh.Spans.TraceAsync("its return as one trace", spans => !earlier.Contains(spans[0].Trace) && Has(
            spans, ("release workers", "server-a"), ("go home", "workers-b"), ("worker comes home", "server-b"), ("loan completed", "server-a")));
        await Eventually.HoldsAsync(
            "the lines of the loan on the console, in order",
            () => ContainsInOrder(mesh.Console[written..], LoanLines, guest),
            details: () => mesh.Console[written..]);
    }

    [Fact]
    public async Task Server_KilledWithTasksAndLoans_ContinuesThem()
    {
        var user = RedisFixture.Unique("ana");
        await mesh.A.SetBalanceAsync(user, 0);
        var (submitted, _) = await BorrowAsync(user);

        var server = (await ReplicaProcess.OfAsync(mesh.App, "server-a", 1)).Single();
        await server.KillAsync(mesh.App);
        await server.StartAsync(mesh.App);
        await mesh.App.ResourceNotifications.WaitForResourceHealthyAsync("server-a", Cancelled);
        await mesh.AtRestAsync();
        // The counter is not exact: a Garnet that another test has killed may have lost a part of it.
        foreach (var id in submitted)
        {
            Assert.Equal("done", (string)(await SettledAsync(mesh.A, id))["state"]!);
        }

        Assert.Equal(submitted.Length, await mesh.A.BalanceAsync(user));
    }

    [Fact]
    public async Task Workers_Killed_AreReplacedAndTheirTasksRunElsewhere()
    {
        var user = RedisFixture.Unique("carlos");
        await mesh.B.SetBalanceAsync(user, 0);
        var old = MeshApp.IdleAtHome(await mesh.B.StatusAsync());
        var processes = await ReplicaProcess.OfAsync(mesh.App, "workers-b", 4);
        // There are enough tasks to keep each worker busy until it is killed.
        var ids = await mesh.B.SubmitAsync(Updates(user, 60));
        await mesh.B.StatusAsync("all four work", status => (int)status["running"]! >= 4, mesh.A);
        await Task.WhenAll(processes.Select(process => process.KillAsync(mesh.App)));
        await Task.WhenAll(processes.Select(process => process.StartAsync(mesh.App)));

        var settled = await Task.WhenAll(ids.Select(id => SettledAsync(mesh.B, id)));
        Assert.All(settled, task => Assert.Equal("done", (string)task["state"]!));
        Assert.Equal(60m, await mesh.B.BalanceAsync(user));
        await mesh.AtRestAsync();
        Assert.Empty(old.Intersect(MeshApp.IdleAtHome(await mesh.B.StatusAsync())));
    }

    [Fact]
    public async Task Redis_Killed_KeepsAllAcceptedTasks()
    {
        var user = RedisFixture.Unique("luiza");
        await mesh.A.SetBalanceAsync(user, 0);
        await mesh.A.SubmitAsync(Updates(user, 60));
        await mesh.A.StatusAsync("tasks run", status => (int)status["running"]! > 0, mesh.B);

        // A task whose submission is answered 503 may be stored or not. With its id it can be submitted again.
        var killed = KillRedisAsync();
        var (submitted, unknown) = (60, (object?)null);
        while (unknown is null && submitted < 500)
        {
            var task = new { type = "UPDATE", user, amount = 1, id = RedisFixture.Unique("luiza") };
            using var response = await mesh.A.PostAsync(task);
            Assert.True(response.StatusCode is HttpStatusCode.Accepted or HttpStatusCode.ServiceUnavailable, $"{response.StatusCode}");
            unknown = response.StatusCode is HttpStatusCode.ServiceUnavailable ? task : null;
            submitted++;
        }

        await killed;
        var started = await mesh.App.ResourceCommands.ExecuteCommandAsync("redis", KnownResourceCommands.StartCommand, Cancelled);
        Assert.True(started.Success, started.Message);
        await mesh.App.ResourceNotifications.WaitForResourceHealthyAsync("redis", WaitBehavior.WaitOnResourceUnavailable, Cancelled);
        await Eventually.GetAsync(
            "the server takes tasks again",
            async () =>
            {
                using var response = unknown is null ? await mesh.A.Http.GetAsync(new Uri("/health", UriKind.Relative), Cancelled) : await mesh.A.PostAsync(unknown);
                return response.IsSuccessStatusCode;
            },
            taken => taken,
            details: () => mesh.A.Output);
        await mesh.AtRestAsync();
        Assert.Equal(submitted, await mesh.A.BalanceAsync(user));
    }

    /// <summary>Kills the process as <c>kill -9</c> does, and waits until Aspire has noticed it.</summary>
    protected abstract Task KillRedisAsync();

    /// <summary>Keeps server A under load until a borrowed worker works there. A peer that has refused or failed is not asked again for up to 16 s.</summary>
    protected async Task<(string[] Submitted, string Guest)> BorrowAsync(string user)
    {
        var submitted = new List<string>();
        var status = await Eventually.GetAsync(
            "a guest works at server-a",
            async () =>
            {
                var now = await mesh.A.StatusAsync();
                if ((int)now["queue"]! < 60)
                {
                    submitted.AddRange(await mesh.A.SubmitAsync(Updates(user, 60)));
                }

                return now;
            },
            status => Guests(status).Any(),
            details: () => mesh.A.Output);
        return ([.. submitted], Guests(status).First());
    }

    protected static object[] Updates(string user, int count) => [.. Enumerable.Range(0, count).Select(_ => (object)new { type = "UPDATE", user, amount = 1 })];

    private Task<JsonNode> SettledAsync(MeshClient server, string id) => Eventually.GetAsync(
        $"task {id} is settled", () => server.GetAsync($"/tasks/{id}"), task => (string)task["state"]! is "done" or "dead", details: () => mesh.A.Output);

    private static IEnumerable<string> Guests(JsonNode status) => MeshTests.Workers(status)
        .Where(worker => (string)worker["home"]! != (string)status["id"]!).Select(worker => (string)worker["id"]!);

    /// <summary>Whether the console has a line with each of these texts and the worker's id, in this order.</summary>
    private static bool ContainsInOrder(string console, string[] texts, string worker)
    {
        var lines = new Queue<string>(console.Split('\n'));
        return texts.All(text =>
        {
            while (lines.TryDequeue(out var line))
            {
                if (line.Contains(text, StringComparison.Ordinal) && line.Contains(worker, StringComparison.Ordinal))
                {
                    return true;
                }
            }

            return false;
        });
    }

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
