using Mesh.Protocol;
using Mesh.Tests.Fixtures;
using Mesh.Tests.Integration;
using Mesh.Tests.Server;
using Mesh.Transport;
using static Microsoft.Playwright.Assertions;
using TaskStatus = Mesh.Protocol.TaskStatus;

namespace Mesh.Tests.Browser;

/// <summary>docs/operations.md, "Failing workers": the map shows a worker that is set aside struck through.</summary>
[Collection(BrowserTests.Name)]
[Trait("Speed", "Slow")]
public sealed class SetAsideMapTests(BrowserFixture browser, RedisFixture redis)
{
    [Fact]
    public async Task Map_WorkerThatIsSetAside_IsStruckThrough()
    {
        await using var context = await browser.NewContextAsync();
        await using var server = await MeshProcess.ServerAsync(
            redis, RedisFixture.Unique("server"), RedisProcess.FreePort(), settings: new() { ["Tasks__SetAsideAfter"] = "1", ["Tasks__RetryDelay"] = "00:00:00.01" });
        var endpoint = new MeshEndpoint("127.0.0.1", server.Port);
        var dialer = new MeshDialer(new MeshDialerOptions());
        await using var sick = await dialer.DialAsync(endpoint, Framing.WebSocket, TestContext.Current.CancellationToken);
        await using var good = await dialer.DialAsync(endpoint, Framing.WebSocket, TestContext.Current.CancellationToken);
        await server.SubmitAsync(new { type = "QUERY", user = "maria" });
        await AnswerAsync(sick, "sick", TaskOutcome.Nok);
        await AnswerAsync(good, "good", TaskOutcome.Ok);

        var map = await context.NewPageAsync();
        await map.GotoAsync($"http://127.0.0.1:{server.Port}/");

        var chip = map.Locator("#home .chip[data-id='sick']");
        await Expect(chip).ToHaveAttributeAsync("data-state", "setAside");
        await Expect(chip).ToHaveCSSAsync("text-decoration-line", "line-through");
        await Expect(map.Locator("#home .chip[data-id='good']")).ToHaveCSSAsync("text-decoration-line", "none");
    }

    private static async Task AnswerAsync(MeshConnection connection, string worker, TaskOutcome outcome)
    {
        connection.TrySend(new GetTask(new WorkerId(worker)));
        var task = await connection.ReceiveAsync<NewTask>();
        connection.TrySend(new TaskStatus(outcome, task.Type, new WorkerId(worker)) { Id = task.Id });
        await connection.ReceiveAsync<Ack>();
    }
}
