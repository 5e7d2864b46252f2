using System.Collections.Concurrent;
using Mesh.Tests.Integration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Mesh.Tests.Server.Telemetry;

/// <summary>One line of a log.</summary>
internal sealed record RecordedLine(int Id, LogLevel Level, string Text);

/// <summary>Records the lines that a server logs under given event ids.</summary>
internal sealed class RecordedLog : ILoggerProvider, ILogger
{
    private readonly ConcurrentQueue<RecordedLine> _lines = new();
    private readonly HashSet<int> _ids;

    public RecordedLog(TestServer server, params int[] ids)
    {
        _ids = [.. ids];
        server.Services.GetRequiredService<ILoggerFactory>().AddProvider(this);
    }

    public IReadOnlyList<RecordedLine> Lines => [.. _lines];

    /// <summary>Waits until a line with this event id is logged, and returns the first one.</summary>
    public async Task<RecordedLine> LineAsync(int id) => (await Eventually.GetAsync(
        $"a log line with the event id {id}", () => Task.FromResult(_lines.FirstOrDefault(line => line.Id == id)), line => line is not null))!;

    public ILogger CreateLogger(string categoryName) => this;

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => logLevel >= LogLevel.Information;

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        if (_ids.Contains(eventId.Id))
        {
            _lines.Enqueue(new RecordedLine(eventId.Id, logLevel, formatter(state, exception)));
        }
    }

    public void Dispose()
    {
    }
}
