using Mesh.Protocol;
using Mesh.Server.Core;
using Mesh.Server.Core.Tasks;
using Mesh.Server.Loop;
using Mesh.Server.Telemetry;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Time.Testing;

namespace Mesh.Tests.Server.Telemetry;

public sealed class MeshEventLogTests
{
    [Fact]
    public void RefusedMessages_Many_AreCountedAndLoggedAtALimitedRate()
    {
        var time = new FakeTimeProvider();
        var lines = new Lines();
        using var services = new ServiceCollection().AddMetrics().BuildServiceProvider();
        var log = new MeshEventLog(ActivatorUtilities.CreateInstance<MeshMetrics>(services, new CoreInputQueue(), time), time, lines);
        var refused = new MessageRejected(new SessionId(7), new Heartbeat(new ServerId("stranger")), "SERVER_UUID: \"stranger\" is no peer");

        for (var i = 0; i < 1000; i++)
        {
            log.Report(refused);
        }

        Assert.Equal(10, lines.Written.Count);
        time.Advance(TimeSpan.FromSeconds(1));
        log.Report(refused);
        Assert.Equal(["990 lines like the next one were suppressed.", "Session 7: Heartbeat is refused: SERVER_UUID: \"stranger\" is no peer."], lines.Written[^2..]);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void FailedTasks_Many_AreCountedAndLoggedAtALimitedRate(bool dead)
    {
        var time = new FakeTimeProvider();
        var lines = new Lines();
        using var services = new ServiceCollection().AddMetrics().BuildServiceProvider();
        var log = new MeshEventLog(ActivatorUtilities.CreateInstance<MeshMetrics>(services, new CoreInputQueue(), time), time, lines);
        var task = new TaskRecord("t1", new TaskId("t1"), TaskType.Query, "maria", null, 1) { Attempts = 3, Error = "no" };

        for (var i = 0; i < 1000; i++)
        {
            log.Report(dead ? new TaskDeadLettered(task) : new TaskRequeued(task, 1, "no", IsCounted: true));
        }

        Assert.Equal(10, lines.Written.Count);
        time.Advance(TimeSpan.FromSeconds(1));
        log.Report(dead ? new TaskDeadLettered(task) : new TaskRequeued(task, 1, "no", IsCounted: true));
        Assert.Equal("990 lines like the next one were suppressed.", lines.Written[^2]);
    }

    [Fact]
    public void Peer_UnderAnotherName_IsLoggedWithTheSettingToChange()
    {
        var time = new FakeTimeProvider();
        var lines = new Lines();
        using var services = new ServiceCollection().AddMetrics().BuildServiceProvider();
        var log = new MeshEventLog(ActivatorUtilities.CreateInstance<MeshMetrics>(services, new CoreInputQueue(), time), time, lines);

        log.Report(new PeerRenamed(new ServerId("server-b"), new MeshEndpoint("10.0.0.2", 9002), new ServerId("anew")));
        log.Report(new UnknownServerDetected(new ServerId("stranger")));

        Assert.All(["10.0.0.2:9002", "anew", "server-b", "Mesh__Peers__0__Id"], word => Assert.Contains(word, lines.Written[0], StringComparison.Ordinal));
        Assert.All(["stranger", "Mesh__Peers__0__Id", "Mesh__Peers__0__Endpoint"], word => Assert.Contains(word, lines.Written[1], StringComparison.Ordinal));
    }

    [Fact]
    public void Request_IsLoggedWithItsTypes()
    {
        var time = new FakeTimeProvider();
        var lines = new Lines();
        using var services = new ServiceCollection().AddMetrics().BuildServiceProvider();
        var log = new MeshEventLog(ActivatorUtilities.CreateInstance<MeshMetrics>(services, new CoreInputQueue(), time), time, lines);

        log.Report(new WorkersRequested(new ServerId("server-b"), 2, 20, TaskTypeSet.Of(TaskType.Query, new TaskType("RESIZE"))));

        Assert.Equal(["20 tasks are waiting. Requesting 2 workers from server-b for QUERY, RESIZE."], lines.Written);
    }

    private sealed class Lines : ILogger<MeshEventLog>
    {
        public List<string> Written { get; } = [];

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            Written.Add(formatter(state, exception));
    }
}
