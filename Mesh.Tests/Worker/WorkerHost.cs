using Mesh.Accounts;
using Mesh.Tests.Accounts;
using Mesh.Worker;
using MeshAspire.Worker;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Mesh.Tests.Worker;

/// <summary>A whole worker in this process, with its accounts in memory. Its home server is "SERVER_1" at the given address.</summary>
internal sealed class WorkerHost : IAsyncDisposable
{
    private readonly IHost _host;
    private readonly FakeServer? _home;

    private WorkerHost(IHost host, FakeServer? home) => (_host, _home) = (host, home);

    public static async Task<WorkerHost> StartAsync(
        FakeServer home, ILedger? ledger = null, Action<MeshWorkerBuilder>? handler = null, params (string Key, string Value)[] more) =>
        new(await StartAsync(home.Endpoint, ledger, handler, more), home);

    /// <summary>Starts a worker with any server as its home.</summary>
    public static async Task<WorkerHost> StartAsync(string home, params (string Key, string Value)[] more) => new(await StartAsync(home, null, null, more), null);

    public static async Task<WorkerHost> StartAsync(string home, Action<MeshWorkerBuilder> handler, params (string Key, string Value)[] more) =>
        new(await StartAsync(home, null, handler, more), null);

    private static async Task<IHost> StartAsync(string home, ILedger? ledger, Action<MeshWorkerBuilder>? handler, (string Key, string Value)[] more)
    {
        var builder = Host.CreateEmptyApplicationBuilder(new());
        builder.Configuration.AddInMemoryCollection(new Dictionary<string, string?>
        {
            ["Mesh:WorkerId"] = "WORKER_1",
            ["Mesh:HomeServer:Id"] = "SERVER_1",
            ["Mesh:HomeServer:Endpoint"] = home,
            ["ConnectionStrings:redis"] = "127.0.0.1:1",
        });
        builder.Configuration.AddInMemoryCollection(more.Select(pair => KeyValuePair.Create(pair.Key, (string?)pair.Value)));
        builder.Logging.SetMinimumLevel(LogLevel.Debug).AddProvider(new TestLog());
        builder.Services.AddSingleton(ledger ?? new MemoryLedger());
        var worker = builder.AddMeshWorker();
        if (handler is null)
        {
            worker.AddAccountHandlers();
        }
        else
        {
            handler(worker);
        }

        var host = builder.Build();
        await host.StartAsync(TestContext.Current.CancellationToken);
        return host;
    }

    public Task StopAsync() => _host.StopAsync(TestContext.Current.CancellationToken);

    public async ValueTask DisposeAsync()
    {
        // Over lines the worker would wait for the answer to its last get_task.
        if (_home is not null)
        {
            await _home.StopAsync();
        }

        await _host.StopAsync();
        _host.Dispose();
    }

    private sealed class TestLog : ILoggerProvider, ILogger
    {
        private readonly ITestOutputHelper? _output = TestContext.Current.TestOutputHelper;

        public ILogger CreateLogger(string categoryName) => this;

        public void Dispose()
        {
        }

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel level, EventId id, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            _output?.WriteLine($"{TimeProvider.System.GetUtcNow():mm:ss.fff} {level}: {formatter(state, exception)} {exception}");
    }
}
