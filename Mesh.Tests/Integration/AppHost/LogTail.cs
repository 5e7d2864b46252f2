using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;

namespace Mesh.Tests.Integration.AppHost;

/// <summary>Keeps the last lines of all resources, for the message of a failed test.</summary>
internal sealed class LogTail : ILoggerProvider
{
    /// <summary>The number of lines that are kept of each resource. A resource that writes much does not displace the others.</summary>
    private const int Kept = 60;

    private readonly ConcurrentDictionary<string, ConcurrentQueue<(long Order, string Line)>> _lines = new();
    private long _order;
    private readonly StringWriter _console = new();

    public LogTail() => Console = TextWriter.Synchronized(_console);

    /// <summary>The lines in the order in which they were written.</summary>
    public string Text => string.Join('\n', _lines.Values.SelectMany(lines => lines).OrderBy(line => line.Order).Select(line => line.Line));

    public TextWriter Console { get; }

    /// <summary>What was written to <see cref="Console"/>.</summary>
    public string ConsoleText
    {
        get
        {
            // As the synchronized writer locks.
            lock (Console)
            {
                return _console.ToString();
            }
        }
    }

    public ILogger CreateLogger(string categoryName) => new Logger(this, categoryName);

    public void Dispose() => Console.Dispose();

    /// <summary>The last lines of one resource.</summary>
    public string Of(string resource, int count) => string.Join('\n', _lines.GetValueOrDefault(resource)?.TakeLast(count).Select(line => line.Line) ?? []);

    private void Add(string resource, string line)
    {
        var lines = _lines.GetOrAdd(resource, _ => new());
        lines.Enqueue((Interlocked.Increment(ref _order), line));
        while (lines.Count > Kept)
        {
            lines.TryDequeue(out _);
        }
    }

    private sealed class Logger(LogTail lines, string category) : ILogger
    {
        private readonly string _resource = category[(category.LastIndexOf('.') + 1)..];

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull
            => null;

        public bool IsEnabled(LogLevel logLevel) => logLevel >= LogLevel.Information;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            lines.Add(_resource, $"{_resource}: {formatter(state, exception)}{(exception is null ? "" : $"\n{exception}")}");
    }
}
