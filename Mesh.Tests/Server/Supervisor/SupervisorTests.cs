using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using System.Threading.Channels;
using Mesh.Protocol;
using Mesh.Server.Core;
using Mesh.Server.Supervisor;
using Mesh.Tests.Fixtures;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace Mesh.Tests.Server.Supervisor;

public sealed class SupervisorTests
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Report_EachInterval_IsOneLineOverANewConnection()
    {
        using var supervisor = new TcpListener(IPAddress.Loopback, 0);
        supervisor.Start();
        await using var server = await TestServer.StartAsync([.. ReportTo(supervisor), ("Mesh:Peers:0:Id", "server-b"), ("Mesh:Peers:0:Endpoint", "127.0.0.1:1")]);
        await using var worker = await server.DialAsync(Framing.WebSocket);
        worker.TrySend(new GetTask(new WorkerId("w1")));
        await server.SubmitAsync("""{"type":"QUERY","user":"maria"}""");
        await worker.ReceiveAsync<NewTask>();
        await server.SubmitAsync("""{"type":"QUERY","user":"maria"}""");
        await server.SubmitAsync("""{"type":"QUERY","user":"maria"}""");

        // Earlier reports wait in the listener's backlog.
        string first;
        do
        {
            first = await HearAsync(supervisor);
        }
        while (!first.Contains("\"tasks_pending\":2,\"tasks_running\":1", StringComparison.Ordinal));
        var second = await HearAsync(supervisor);

        Assert.EndsWith("\n", first, StringComparison.Ordinal);
        Assert.Equal(1, first.Count(letter => letter == '\n'));
        var report = JsonDocument.Parse(first).RootElement;
        Assert.Equal(("server-a", "performance_report"), (report.GetProperty("server_uuid").GetString(), report.GetProperty("task").GetString()));
        Assert.Equal(report.GetProperty("mensage_id").GetString(), report.GetProperty("message_id").GetString());
        Assert.NotEqual(report.GetProperty("message_id").GetString(), JsonDocument.Parse(second).RootElement.GetProperty("message_id").GetString());
        Assert.InRange(report.GetProperty("timestamp").GetDateTimeOffset(), TimeProvider.System.GetUtcNow() - TimeSpan.FromMinutes(1), TimeProvider.System.GetUtcNow());

        var farm = report.GetProperty("performance").GetProperty("farm_state");
        Assert.Equal(
            """{"total_registered":1,"workers_utilization":100,"workers_alive":1,"workers_idle":0,"workers_borrowed":0,"workers_recieved":0,"workers_received":0,"workers_failed":0}""",
            farm.GetProperty("workers").GetRawText());
        Assert.Equal("""{"tasks_pending":2,"tasks_running":1}""", farm.GetProperty("tasks").GetRawText());
        Assert.Equal("""{"max_queue":15}""", report.GetProperty("config_thresholds").GetRawText());
        Assert.Equal("""[{"server_uuid":"server-b","status":"inactive","last_heartbeat":null}]""", report.GetProperty("neighbors").GetRawText());
    }

    [Fact]
    public async Task Report_System_IsThisMachine()
    {
        using var supervisor = new TcpListener(IPAddress.Loopback, 0);
        supervisor.Start();
        await using var server = await TestServer.StartAsync(ReportTo(supervisor));

        var system = JsonDocument.Parse(await HearAsync(supervisor)).RootElement.GetProperty("performance").GetProperty("system");

        Assert.Equal(["uptime_seconds", "load_average_1m", "load_average_5m", "cpu", "memory", "disk"], Names(system));
        Assert.True(system.GetProperty("uptime_seconds").GetInt64() > 0);
        var cpu = system.GetProperty("cpu");
        Assert.Equal(["usage_percent", "count_logical", "count_physical"], Names(cpu));
        Assert.Equal(Environment.ProcessorCount, cpu.GetProperty("count_logical").GetInt32());
        Assert.InRange(cpu.GetProperty("count_physical").GetInt32(), 1, Environment.ProcessorCount);
        var memory = system.GetProperty("memory");
        Assert.Equal(["total_mb", "available_mb", "percent_used", "memory_used"], Names(memory));
        Assert.InRange(memory.GetProperty("available_mb").GetInt64(), 1, memory.GetProperty("total_mb").GetInt64());
        Assert.InRange(memory.GetProperty("percent_used").GetDouble(), 0, 100);
        var disk = system.GetProperty("disk");
        Assert.Equal(["total_gb", "free_gb", "percent_used"], Names(disk));
        Assert.InRange(disk.GetProperty("free_gb").GetDouble(), 0, disk.GetProperty("total_gb").GetDouble());
        if (OperatingSystem.IsLinux())
        {
            Assert.InRange(cpu.GetProperty("usage_percent").GetDouble(), 0, 100);
            Assert.True(system.GetProperty("load_average_1m").GetDouble() >= 0);
            Assert.True(system.GetProperty("load_average_5m").GetDouble() >= 0);
        }
    }

    [Fact]
    public void Report_WorkersOfEachState_AreCounted()
    {
        var (self, other) = (new ServerId("server-a"), new ServerId("server-b"));
        var seen = new DateTimeOffset(2026, 1, 2, 3, 4, 5, TimeSpan.Zero);
        var status = new ServerStatus(
            self,
            new MeshEndpoint("localhost", 9001),
            Queue: 7,
            Running: 2,
            Done: 0,
            Dead: 0,
            Paused: false,
            [
                Worker("w1", self, WorkerState.Idle), Worker("w2", self, WorkerState.Busy), Worker("w3", other, WorkerState.Busy),
                Worker("w4", self, WorkerState.Leaving), Worker("w5", self, WorkerState.Lent), Worker("w6", self, WorkerState.Gone),
                Worker("w7", self, WorkerState.SetAside),
            ],
            [new PeerStatus(other, new MeshEndpoint("localhost", 9002), Alive: true, seen, null)],
            [],
            []);

        var report = SupervisorReportBuilder.Of(status, new MachineMetrics().Read(), maxQueue: 15, seen);

        Assert.Equal(Enum.GetValues<WorkerState>().Order(), status.Workers.Select(worker => worker.State).Distinct().Order());
        Assert.Equal(new WorkersReport(7, 50, 4, 1, 1, 1, 1, 2), report.Performance.FarmState.Workers);
        Assert.Equal(new TasksReport(7, 2), report.Performance.FarmState.Tasks);
        Assert.Equal([new NeighborReport("server-b", "active", seen)], report.Neighbors);

        static WorkerStatus Worker(string id, ServerId home, WorkerState state) => new(new WorkerId(id), home, state, null);
    }

    [Fact]
    public async Task Supervisor_UnavailableForThreeReports_IsLoggedOnce()
    {
        var (interval, sendTimeout) = (TimeSpan.FromSeconds(10), TimeSpan.FromSeconds(5));
        var time = new TimerTrackingTimeProvider();
        using var supervisor = new TcpListener(IPAddress.Loopback, 0);
        supervisor.Start();
        var port = ((IPEndPoint)supervisor.LocalEndpoint).Port;
        await using var server = await TestServer.StartAsync(new(), time, [.. ReportTo(supervisor), ("Mesh:Supervisor:Interval", $"{interval}")]);
        var sending = time.NextTimerAsync(sendTimeout);
        await HangGuard.UntilAsync("the first report to begin", () =>
        {
            time.Advance(sending.IsCompleted ? TimeSpan.Zero : interval);
            return Task.FromResult(sending.IsCompleted);
        });
        await HearAsync(supervisor);
        var log = new ReporterLog();
        server.Services.GetRequiredService<ILoggerFactory>().AddProvider(log);

        // Each report begins with a timer for its timeout, when the one before has ended.
        supervisor.Stop();
        for (var i = 0; i < 4; i++)
        {
            var report = time.NextTimerAsync(sendTimeout);
            time.Advance(interval);
            await report;
        }

        using var again = new TcpListener(IPAddress.Loopback, port);
        again.Start();
        Assert.Equal(LogLevel.Warning, await log.NextAsync());
        time.Advance(interval);
        Assert.Equal(LogLevel.Information, await log.NextAsync());
        Assert.StartsWith("""{"server_uuid":"server-a",""", await HearAsync(again), StringComparison.Ordinal);
    }

    private static (string Key, string Value)[] ReportTo(TcpListener supervisor) =>
        [
            ("Mesh:Supervisor:Endpoint", string.Create(CultureInfo.InvariantCulture, $"127.0.0.1:{((IPEndPoint)supervisor.LocalEndpoint).Port}")),
            ("Mesh:Supervisor:Interval", "00:00:00.1"),
        ];

    /// <summary>Accepts a connection and returns all that it sends. A connection that sends nothing is that of a report which was cancelled; the next one is accepted then.</summary>
    private static async Task<string> HearAsync(TcpListener supervisor)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(Stop);
        limit.CancelAfter(HangGuard.Limit);
        while (true)
        {
            using var client = await supervisor.AcceptTcpClientAsync(limit.Token);
            using var reader = new StreamReader(client.GetStream(), Encoding.UTF8);
            if (await reader.ReadToEndAsync(limit.Token) is { Length: > 0 } report)
            {
                return report;
            }
        }
    }

    private static IEnumerable<string> Names(JsonElement element) => element.EnumerateObject().Select(property => property.Name);

    /// <summary>Collects the levels of the reporter's log entries, in order.</summary>
    private sealed class ReporterLog : ILoggerProvider, ILogger
    {
        private readonly Channel<LogLevel> _levels = Channel.CreateUnbounded<LogLevel>();

        public Task<LogLevel> NextAsync() => _levels.Reader.ReadAsync(Stop).AsTask().OrFailAsync("a log entry of the reporter");

        public ILogger CreateLogger(string categoryName) => categoryName == typeof(SupervisorReporter).FullName ? this : NullLogger.Instance;

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            _levels.Writer.TryWrite(logLevel);

        public void Dispose()
        {
        }
    }
}
