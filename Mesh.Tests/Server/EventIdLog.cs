using System.Threading.Channels;
using Mesh.Tests.Fixtures;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Mesh.Tests.Server;

/// <summary>Collects the event ids of a server's log entries, of those that a test asks for, in order.</summary>
internal sealed class EventIdLog : ILoggerProvider, ILogger
{
    private readonly Channel<int> _ids = Channel.CreateUnbounded<int>();
    private readonly HashSet<int> _wanted;

    public EventIdLog(TestServer server, params int[] wanted)
    {
        _wanted = [.. wanted];
        server.Services.GetRequiredService<ILoggerFactory>().AddProvider(this);
    }

    public Task<int> NextAsync() =>
        _ids.Reader.ReadAsync(TestContext.Current.CancellationToken).AsTask().OrFailAsync($"a log entry with one of the ids {string.Join(", ", _wanted)}");

    /// <summary>Waits until an id is logged, and returns the ids before it.</summary>
    public async Task<IReadOnlyList<int>> UntilAsync(int id)
    {
        var before = new List<int>();
        while (await NextAsync() is var next && next != id)
        {
            before.Add(next);
        }

        return before;
    }

    public ILogger CreateLogger(string categoryName) => this;

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => logLevel >= LogLevel.Information;

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        if (_wanted.Contains(eventId.Id))
        {
            _ids.Writer.TryWrite(eventId.Id);
        }
    }

    public void Dispose()
    {
    }
}
