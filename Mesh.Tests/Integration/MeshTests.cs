using System.Net;
using System.Text.Json.Nodes;
using Mesh.Tests.Fixtures;

namespace Mesh.Tests.Integration;

/// <summary>Servers and workers as processes, over a real Redis.</summary>
[Trait("Speed", "Slow")]
public sealed class MeshTests(RedisFixture redis)
{
    [Theory]
    [InlineData("WebSocket")]
    [InlineData("Tcp")]
    public async Task Tasks_OfBothTypes_Settle(string transport)
    {
        await using var server = await MeshProcess.ServerAsync(redis, RedisFixture.Unique("server"), RedisProcess.FreePort());
        await using var worker = await MeshProcess.WorkerAsync(redis, "w1", server, new() { ["Transport"] = transport, ["Concurrency"] = "2" });
        var user = RedisFixture.Unique("maria");
        await server.SetBalanceAsync(user, 100);
        var ids = await server.SubmitAsync(
            new { type = "UPDATE", user, amount = 12.5 },
            new { type = "UPDATE", user, amount = 0.0001 },
            new { type = "QUERY", user },
            new { type = "QUERY", user = "nobody" });

        await server.StatusAsync("three tasks done and one dead", status => (int)status["done"]! == 3 && (int)status["dead"]! == 1, worker);
        Assert.Equal(112.5001m, await server.BalanceAsync(user));
        Assert.Equal("done", (string?)(await server.GetAsync($"/tasks/{ids[0]}"))["state"]);
        var dead = await server.GetAsync($"/tasks/{ids[3]}");
        Assert.Equal(("dead", 3), ((string)dead["state"]!, (int)dead["attempts"]!));
        Assert.Equal("unknown user", (string)dead["error"]!);
        Assert.Single((await server.GetAsync("/tasks?state=dead")).AsArray());
    }

    [Fact]
    public async Task Server_KilledUnderLoad_FinishesAllItsTasksOnce()
    {
        await using var server = await MeshProcess.ServerAsync(redis, RedisFixture.Unique("server"), RedisProcess.FreePort());
        await using var worker = await MeshProcess.WorkerAsync(redis, "w1", server, new() { ["Concurrency"] = "4", ["WorkTime"] = "00:00:00.005" });
        var user = RedisFixture.Unique("joao");
        await server.SetBalanceAsync(user, 0);
        await server.SubmitAsync([.. Enumerable.Range(0, 1000).Select(_ => (object)new { type = "UPDATE", user, amount = 1 })]);
        await server.StatusAsync("some tasks done", status => (int)status["done"]! > 100, worker);

        server.Kill();
        await server.RestartAsync();
        await server.HealthyAsync();
        await server.StatusAsync("all tasks done", status => (int)status["done"]! == 1000, worker);
        Assert.Equal(1000m, await server.BalanceAsync(user));
        var rest = await server.StatusAsync();
        Assert.Equal((0, 0, 0), ((int)rest["queue"]!, (int)rest["running"]!, (int)rest["dead"]!));
    }

    [Fact]
    public async Task Worker_Killed_ItsTaskRunsElsewhere()
    {
        await using var server = await MeshProcess.ServerAsync(
            redis, RedisFixture.Unique("server"), RedisProcess.FreePort(), settings: new() { ["Tasks__WorkerGrace"] = "00:00:00.300" });
        await using var slow = await MeshProcess.WorkerAsync(redis, "slow", server, new() { ["WorkTime"] = "00:10:00" });
        var user = RedisFixture.Unique("carlos");
        await server.SetBalanceAsync(user, 0);
        await server.StatusAsync("the worker is there", status => Workers(status).Any());
        var id = (await server.SubmitAsync(new { type = "UPDATE", user, amount = 5 }))[0];
        await server.StatusAsync("the task runs", status => (int)status["running"]! == 1);

        await using var other = await MeshProcess.WorkerAsync(redis, "other", server);
        slow.Kill();
        await server.StatusAsync("the task is done", status => (int)status["done"]! == 1, other);
        var task = await server.GetAsync($"/tasks/{id}");
        Assert.Equal("other", (string)task["worker"]!);
        // The killed worker may not have received the task, when its connection was reset before.
        Assert.InRange((int)task["attempts"]!, 1, 2);
        Assert.Equal(5m, await server.BalanceAsync(user));
    }

    [Theory]
    [InlineData("WebSocket")]
    [InlineData("Tcp")]
    public async Task Loan_UnderLoad_PassesAllStepsAndIsReturned(string transport)
    {
        var (a, b) = (RedisFixture.Unique("server-a"), RedisFixture.Unique("server-b"));
        var (portA, portB) = (RedisProcess.FreePort(), RedisProcess.FreePort());
        await using var borrower = await MeshProcess.ServerAsync(redis, a, portA, [(b, portB)]);
        await using var owner = await MeshProcess.ServerAsync(redis, b, portB, [(a, portA)]);
        var slow = new Dictionary<string, string> { ["WorkTime"] = "00:00:00.050", ["Transport"] = transport };
        await using var own = await MeshProcess.WorkerAsync(redis, "own", borrower, slow);
        await using var guest1 = await MeshProcess.WorkerAsync(redis, "guest1", owner, slow);
        await using var guest2 = await MeshProcess.WorkerAsync(redis, "guest2", owner, slow);
        MeshProcess[] all = [borrower, owner, own, guest1, guest2];
        await owner.StatusAsync("both workers are there", status => Workers(status).Count() == 2, all);
        await borrower.StatusAsync("the peer is alive", status => (bool)status["peers"]![0]!["alive"]!, all);

        await borrower.SubmitAsync([.. Enumerable.Range(0, 150).Select(_ => (object)new { type = "QUERY", user = "x" })]);
        var lent = await owner.StatusAsync("one worker is lent, one stays", status => Loans(status).Count() == 1, all);
        var worker = (string)Loans(lent).Single()["worker"]!;
        await borrower.StatusAsync(
            "the guest works", status => Workers(status).Any(w => (string)w["id"]! == worker && (string)w["home"]! == b), all);

        await borrower.StatusAsync("no loan is left", status => !Loans(status).Any() && (int)status["queue"]! == 0, all);
        await owner.StatusAsync(
            "both workers are home again",
            status => !Loans(status).Any() && Workers(status).Count(w => (string)w["state"]! == "idle") == 2,
            all);
    }

    [Fact]
    public async Task Borrower_Stops_ReturnsItsWorkersFirst()
    {
        var (a, b) = (RedisFixture.Unique("server-a"), RedisFixture.Unique("server-b"));
        var (portA, portB) = (RedisProcess.FreePort(), RedisProcess.FreePort());
        await using var borrower = await MeshProcess.ServerAsync(redis, a, portA, [(b, portB)]);
        await using var owner = await MeshProcess.ServerAsync(redis, b, portB, [(a, portA)]);
        var slow = new Dictionary<string, string> { ["WorkTime"] = "00:00:00.100" };
        await using var guest = await MeshProcess.WorkerAsync(redis, "guest", owner, slow);
        await using var keeper = await MeshProcess.WorkerAsync(redis, "keeper", owner, slow);
        await owner.StatusAsync("both workers are there", status => Workers(status).Count() == 2);
        await borrower.SubmitAsync([.. Enumerable.Range(0, 500).Select(_ => (object)new { type = "QUERY", user = "x" })]);
        await borrower.StatusAsync("the guest works", status => Workers(status).Any(), owner, guest, keeper);

        // A worker logs when it is sent home, and when it gives its borrower up.
        Assert.Equal(0, await borrower.StopAsync());
        string Lines() => guest.Everything + keeper.Everything;
        await Eventually.HoldsAsync("the worker is sent home", () => Lines().Contains("is sent home to", StringComparison.Ordinal), details: Lines);
        Assert.DoesNotContain("gives up", Lines(), StringComparison.Ordinal);
        await owner.StatusAsync(
            "all are home", status => !Loans(status).Any() && Workers(status).Count(w => (string)w["state"]! == "idle") == 2, borrower, guest, keeper);

        await borrower.RestartAsync();
        await borrower.HealthyAsync();
        var status = await borrower.StatusAsync();
        Assert.Equal(500, (int)status["queue"]! + (int)status["running"]! + (int)status["done"]!);
    }

    [Theory]
    [InlineData("WebSocket")]
    [InlineData("Tcp")]
    public async Task Loans_ReturnedByAnOperator_EndAlthoughTheQueueStaysHigh(string transport)
    {
        const int HighMark = 15;
        var (a, b) = (RedisFixture.Unique("server-a"), RedisFixture.Unique("server-b"));
        var (portA, portB) = (RedisProcess.FreePort(), RedisProcess.FreePort());
        await using var borrower = await MeshProcess.ServerAsync(redis, a, portA, [(b, portB)]);
        await using var owner = await MeshProcess.ServerAsync(redis, b, portB, [(a, portA)]);
        var slow = new Dictionary<string, string> { ["WorkTime"] = "00:00:00.050", ["Transport"] = transport };
        await using var own = await MeshProcess.WorkerAsync(redis, "own", borrower, slow);
        await using var guest1 = await MeshProcess.WorkerAsync(redis, "guest1", owner, slow);
        await using var guest2 = await MeshProcess.WorkerAsync(redis, "guest2", owner, slow);
        MeshProcess[] all = [borrower, owner, own, guest1, guest2];
        await owner.StatusAsync("both workers are there", status => Workers(status).Count() == 2, all);
        var user = RedisFixture.Unique("maria");
        await borrower.SetBalanceAsync(user, 1);
        await borrower.SubmitAsync([.. Enumerable.Range(0, 5000).Select(_ => (object)new { type = "QUERY", user })]);
        var lent = await borrower.StatusAsync("the guest is here", status => Loans(status).Any(loan => (string)loan["state"]! == "arrived"), all);
        var worker = (string)Loans(lent).Single()["worker"]!;

        using var answer = await borrower.Http.PostAsync(new Uri("/loans/return", UriKind.Relative), content: null, TestContext.Current.CancellationToken);
        Assert.Equal(HttpStatusCode.Accepted, answer.StatusCode);
        Assert.Equal($$"""{"workers":["{{worker}}"]}""", await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));

        await owner.StatusAsync(
            "both workers are home again",
            status => !Loans(status).Any() && Workers(status).Count(w => (string)w["state"]! == "idle") == 2,
            all);
        var home = await borrower.StatusAsync("no loan is left", status => !Loans(status).Any(), all);
        Assert.True((int)home["queue"]! > HighMark);

        // Twenty tasks take a second, in which the borrower has balanced five times.
        var later = await borrower.StatusAsync("it works on with its own worker", status => (int)status["done"]! >= (int)home["done"]! + 20, all);
        Assert.True((int)later["queue"]! > HighMark);
        Assert.Empty(Loans(later));
        Assert.Empty(Loans(await owner.StatusAsync()));
    }

    internal static IEnumerable<JsonNode> Loans(JsonNode status) => status["loans"]!.AsArray().Select(loan => loan!);

    internal static IEnumerable<JsonNode> Workers(JsonNode status) => status["workers"]!.AsArray().Select(worker => worker!);
}
