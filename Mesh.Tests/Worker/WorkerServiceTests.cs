using Mesh.Tests.Accounts;
using Mesh.Tests.Worker.Handlers;

namespace Mesh.Tests.Worker;

/// <summary>The whole worker against scripted servers, over real sockets.</summary>
public sealed class WorkerServiceTests
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("WebSocket")]
    [InlineData("Tcp")]
    public async Task Worker_AtHome_CompletesTasks(string transport)
    {
        var ledger = new MemoryLedger();
        await ledger.SetBalanceAsync("maria", 10, Stop);
        await using var home = FakeServer.Start();
        await using var worker = await WorkerHost.StartAsync(home, ledger, null, ("Mesh:Transport", transport));

        var ask = await home.NextAskAsync();
        Assert.Equal("""{"WORKER": "ALIVE", "WORKER_UUID": "WORKER_1", "TASKS": ["QUERY", "UPDATE"]}""", ask.Json.GetRawText());
        await ask.UpdateAsync("t1", "2.5");
        var status = await home.NextStatusAsync();
        Assert.Equal(("OK", "UPDATE", "WORKER_1", "t1", "12.5"),
            (status.Field("STATUS"), status.Field("TASK"), status.Field("WORKER_UUID"), status.Field("TASK_ID"), status.Field("RESULT")));
        await status.AckAsync();

        await (await home.NextAskAsync()).QueryAsync("t2", "nobody");
        status = await home.NextStatusAsync();
        Assert.Equal(("NOK", "unknown user"), (status.Field("STATUS"), status.Field("ERROR")));
        await status.AckAsync();

        await (await home.NextAskAsync()).UpdateAsync("t3", "-12.5001");
        status = await home.NextStatusAsync();
        Assert.Equal(("NOK", "the balance would go below zero"), (status.Field("STATUS"), status.Field("ERROR")));
        await status.AckAsync();

        await (await home.NextAskAsync()).NoTaskAsync();
        await home.NextAskAsync();
    }

    [Theory]
    [InlineData(false, "")]
    [InlineData(true, "")]
    [InlineData(true, ",\"FRAMING\":\"LINE\"")]
    public async Task Worker_RedirectedAndReturned_WorksThereAndComesHome(bool borrowerSpeaksLinesOnly, string more)
    {
        await using var home = FakeServer.Start();
        await using var borrower = FakeServer.Start(borrowerSpeaksLinesOnly);
        await using var worker = await WorkerHost.StartAsync(home);

        await (await home.NextAskAsync()).RedirectAsync(borrower, more);
        var ask = await borrower.NextAskAsync();
        Assert.Equal("SERVER_1", ask.Field("SERVER_UUID"));
        await ask.QueryAsync("t1");
        await (await borrower.NextStatusAsync()).AckAsync();
        await (await borrower.NextAskAsync()).ReturnAsync(home);

        Assert.Null((await home.NextAskAsync()).Field("SERVER_UUID"));
    }

    [Theory]
    [InlineData("WebSocket")]
    [InlineData("Tcp")]
    public async Task Worker_BorrowerGone_ComesHome(string transport)
    {
        await using var home = FakeServer.Start();
        await using var borrower = FakeServer.Start();
        await using var worker = await WorkerHost.StartAsync(home, null, null, ("Mesh:Transport", transport));
        await (await home.NextAskAsync()).RedirectAsync(borrower);
        await borrower.NextAskAsync();

        await borrower.StopAsync();

        Assert.Null((await home.NextAskAsync()).Field("SERVER_UUID"));
    }

    [Theory]
    [InlineData("WebSocket")]
    [InlineData("Tcp")]
    public async Task Running_RefusedByAForeignServer_StillDeliversTheResult(string transport)
    {
        await using var home = FakeServer.Start();
        var handler = new BlockingHandler();
        await using var worker = await WorkerHost.StartAsync(home, handler: handler.AddTo, more: [("Mesh:Transport", transport), ("Mesh:RunningInterval", "00:00:00.100")]);
        await (await home.NextAskAsync()).QueryAsync("t1");
        var running = await home.NextStatusAsync();
        Assert.Equal(("RUNNING", "t1"), (running.Field("STATUS"), running.Field("TASK_ID")));
        await running.ReplyAsync("""{"STATUS":"NOK","ERROR":"STATUS: must be OK or NOK"}""");

        handler.Release();

        var status = await home.NextStatusAsync();
        Assert.Equal(("OK", "t1"), (status.Field("STATUS"), status.Field("TASK_ID")));
        await status.AckAsync();
        await (await home.NextAskAsync()).QueryAsync("t2");
        Assert.Equal("t2", (await home.NextStatusAsync()).Field("TASK_ID"));
    }

    [Fact]
    public async Task Worker_RejectedByBorrower_ComesHome()
    {
        await using var home = FakeServer.Start();
        await using var borrower = FakeServer.Start();
        await using var worker = await WorkerHost.StartAsync(home);
        await (await home.NextAskAsync()).RedirectAsync(borrower);

        await (await borrower.NextAskAsync()).ReplyAsync("""{"STATUS":"NOK","ERROR":"not expected"}""");

        await home.NextAskAsync();
    }

    [Fact]
    public async Task Worker_HomeRestartsBeforeTheAck_SendsTheStatusAgain()
    {
        await using var home = FakeServer.Start();
        await using var worker = await WorkerHost.StartAsync(home);
        await (await home.NextAskAsync()).QueryAsync("t1");
        await home.NextStatusAsync();
        await home.NextAskAsync();

        await home.StopAsync();
        home.Restart();

        Assert.Equal("t1", (await home.NextStatusAsync()).Field("TASK_ID"));
        await home.NextAskAsync();
    }

    [Theory]
    [InlineData("WebSocket")]
    [InlineData("Tcp")]
    public async Task Worker_WithConcurrencyFour_RunsFourAtATime(string transport)
    {
        var handler = new BlockingHandler();
        await using var home = FakeServer.Start();
        await using var worker = await WorkerHost.StartAsync(home, null, handler.AddTo, ("Mesh:Transport", transport), ("Mesh:Concurrency", "4"));
        for (var i = 0; i < 4; i++)
        {
            await (await home.NextAskAsync()).QueryAsync($"t{i}");
        }

        await handler.StartedAsync(4);
        handler.Release();
        var done = new HashSet<string?>();
        while (done.Count < 4)
        {
            var message = await home.NextAsync("a task_status");
            if (message.Field("TASK_ID") is { } id)
            {
                done.Add(id);
                await message.AckAsync();
            }
        }

        Assert.Equal(["t0", "t1", "t2", "t3"], done.Order());
        Assert.Equal(4, handler.MostAtATime);
    }

    [Fact]
    public async Task Worker_StoppedWhileATaskRuns_HandsItBack()
    {
        var handler = new BlockingHandler();
        await using var home = FakeServer.Start();
        await using var worker = await WorkerHost.StartAsync(home, null, handler.AddTo, ("Mesh:StopTimeout", "00:00:00.1"));
        var ask = await home.NextAskAsync();
        Assert.Equal("""["QUERY"]""", ask.Field("TASKS"));
        await ask.QueryAsync("t1");
        await handler.StartedAsync();

        var stopping = worker.StopAsync();
        var status = await home.NextStatusAsync();
        Assert.Equal(("NOK", "t1", "the worker is stopping"), (status.Field("STATUS"), status.Field("TASK_ID"), status.Field("ERROR")));
        Assert.Equal("True", status.Field("HANDED_BACK"));
        await status.AckAsync();

        await stopping;
    }

    [Fact]
    public async Task Worker_StoppedWhileATaskRuns_LetsItEnd()
    {
        var handler = new BlockingHandler();
        await using var home = FakeServer.Start();
        await using var worker = await WorkerHost.StartAsync(home, null, handler.AddTo);
        await (await home.NextAskAsync()).QueryAsync("t1");
        await handler.StartedAsync();

        var stopping = worker.StopAsync();
        handler.Release();
        var status = await home.NextStatusAsync();
        Assert.Equal("OK", status.Field("STATUS"));
        await status.AckAsync();

        await stopping;
    }

    [Fact]
    public async Task Worker_HandlerThrows_IsNokWithABoundedError()
    {
        await using var home = FakeServer.Start();
        await using var worker = await WorkerHost.StartAsync(home, null, handlers => handlers.AddHandler<object?, int>("QUERY", (_, _) => throw new FormatException(new string('x', 1000))));
        await (await home.NextAskAsync()).QueryAsync("t1");

        var status = await home.NextStatusAsync();

        Assert.Equal("NOK", status.Field("STATUS"));
        Assert.Null(status.Field("HANDED_BACK"));
        Assert.StartsWith("FormatException: xxx", status.Field("ERROR"), StringComparison.Ordinal);
        Assert.Equal(512, status.Field("ERROR")!.Length);
    }

    [Fact]
    public async Task Worker_HomeUnavailableAtStart_ConnectsLater()
    {
        await using var home = FakeServer.Start();
        await home.StopAsync();
        await using var worker = await WorkerHost.StartAsync(home);

        home.Restart();

        await home.NextAskAsync();
    }

    [Fact]
    public async Task Worker_HomeByServiceName_IsFound()
    {
        await using var home = FakeServer.Start();
        await using var worker = await WorkerHost.StartAsync(
            home, null, null, ("Mesh:HomeServer:Endpoint", "http://server-a"), ("services:server-a:http:0", $"http://{home.Endpoint}"));

        await home.NextAskAsync();
    }

    [Fact]
    public async Task Worker_TaskWithTraceParent_ReturnsItInTheStatus()
    {
        const string trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
        await using var home = FakeServer.Start();
        await using var worker = await WorkerHost.StartAsync(home);
        await (await home.NextAskAsync()).ReplyAsync($$"""{"TASK":"QUERY","USER":"maria","TASK_ID":"t1","TRACEPARENT":"{{trace}}"}""");

        // The status is in the same trace. It has a new span when a server of another test listens to the mesh's spans.
        Assert.StartsWith(trace[..36], (await home.NextStatusAsync()).Field("TRACEPARENT"), StringComparison.Ordinal);
    }
}
