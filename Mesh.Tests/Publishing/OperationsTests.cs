using Mesh.Protocol;
using Mesh.Tests.Server;
using Mesh.Transport;

namespace Mesh.Tests.Publishing;

/// <summary>
/// Shell blocks of docs/operations.md that need one server. BackupTests runs those of "Backup"; .ci/containers runs those of "The check of the containers", which need a container engine.
/// </summary>
[Trait("Speed", "Slow")]
public sealed class OperationsTests
{
    private const string Page = "docs/operations.md";

    [Fact]
    public async Task OperateIt_Blocks_PauseAndResumeAndReturnWorkers()
    {
        await using var server = await TestServer.StartAsync();
        await using var shell = new ShellBlocks([]);

        await shell.RunAsync(On(server, Assert.Single(ShellBlocks.Of(Page, "Operate it"))));

        Assert.Contains("""{"paused":true,"queue":0,"running":0}""", shell.Output, StringComparison.Ordinal);
        Assert.Contains("""{"paused":false,"queue":0,"running":0}""", shell.Output, StringComparison.Ordinal);
        Assert.Contains("""{"workers":[]}""", shell.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task NodesByOtherAuthors_Block_GetsNoTask()
    {
        await using var server = await TestServer.StartAsync();

        // bash stands for nc, which is not on every machine.
        await using var shell = new ShellBlocks([], """nc() { exec 3<>"/dev/tcp/$3/$4"; cat >&3; head -n 1 <&3; }""");

        await shell.RunAsync(On(server, Assert.Single(ShellBlocks.Of(Page, "Nodes by other authors"))));

        Assert.Equal("""{"TASK": "NO_TASK"}""", shell.Output);
    }

    [Fact]
    public async Task NodesByOtherAuthors_WithAQueuedTask_GetsItAndKeepsItUntilTheLeaseEnds()
    {
        await using var server = await TestServer.StartAsync(("Mesh:Tasks:LeaseTime", "00:00:02"));
        var id = await server.SubmitAsync("""{"type":"QUERY","user":"maria"}""");
        await using (var worker = await server.DialAsync(Framing.Line))
        {
            worker.TrySend(new GetTask(new WorkerId("py-1")));
            await worker.ReceiveAsync<NewTask>();
            await worker.CloseAsync(CloseReason.Stopping);
        }

        Assert.Equal("running", (await server.GetJsonAsync($"/tasks/{id}")).GetProperty("state").GetString());
        await server.TaskAsync(id, "queued");
    }

    private static string On(TestServer server, string block) => block.Replace("127.0.0.1 9001", $"127.0.0.1 {server.Endpoint.Port}", StringComparison.Ordinal)
        .Replace("127.0.0.1:9001", $"{server.Endpoint}", StringComparison.Ordinal);
}
