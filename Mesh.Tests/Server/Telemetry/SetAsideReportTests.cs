using Mesh.Protocol;
using Mesh.Transport;
using Microsoft.Extensions.Logging;
using TaskStatus = Mesh.Protocol.TaskStatus;

namespace Mesh.Tests.Server.Telemetry;

/// <summary>docs/operations.md, "Failing workers": how a strike and a worker that is set aside are reported.</summary>
public sealed class SetAsideReportTests
{
    private const int Strike = 3010;
    private const int SetAside = 3011;
    private const int Reinstated = 3012;

    [Fact]
    public async Task Worker_SetAsideAndThenSucceeds_IsLoggedAndMeasured()
    {
        await using var server = await TestServer.StartAsync(("Mesh:Tasks:SetAsideAfter", "2"), ("Mesh:Tasks:RetryDelay", "00:00:00.01"));
        using var log = new RecordedLog(server, Strike, SetAside, Reinstated);
        using var metrics = new RecordedMetrics(server);
        await using var sick = await server.DialAsync(Framing.WebSocket);
        await using var good = await server.DialAsync(Framing.WebSocket);

        await FailAsync(server, sick, good);
        Assert.Equal(LogLevel.Information, (await log.LineAsync(Strike)).Level);
        Assert.Single(log.Lines);

        await FailAsync(server, sick, good);
        Assert.Equal(LogLevel.Warning, (await log.LineAsync(SetAside)).Level);
        metrics.ReadGauges();
        Assert.Equal(1, metrics.Sum("mesh.workers", ("mesh.worker.state", "SetAside")));

        // A worker that connects anew gets tasks as before.
        await sick.CloseAsync(CloseReason.Stopping);
        await using var restarted = await server.DialAsync(Framing.WebSocket);
        restarted.TrySend(new GetTask(new WorkerId("sick")));
        Assert.Equal(LogLevel.Warning, (await log.LineAsync(Reinstated)).Level);
    }

    /// <summary>The sick worker gets a task first and fails; the good one then does it.</summary>
    private static async Task FailAsync(TestServer server, MeshConnection sick, MeshConnection good)
    {
        sick.TrySend(new GetTask(new WorkerId("sick")));
        var id = await server.SubmitAsync("""{"type":"QUERY","user":"maria"}""");
        await AnswerAsync(sick, "sick", TaskOutcome.Nok);
        good.TrySend(new GetTask(new WorkerId("good")));
        await AnswerAsync(good, "good", TaskOutcome.Ok);
        await server.TaskAsync(id, "done");
    }

    private static async Task AnswerAsync(MeshConnection connection, string worker, TaskOutcome outcome)
    {
        var task = await connection.ReceiveAsync<NewTask>();
        connection.TrySend(new TaskStatus(outcome, task.Type, new WorkerId(worker)) { Id = task.Id });
        await connection.ReceiveAsync<Ack>();
    }
}
