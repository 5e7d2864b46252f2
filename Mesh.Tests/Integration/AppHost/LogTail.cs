using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;

namespace Mesh.Tests.Integration.AppHost;

/// <summary>Keeps the last lines of all resources, for the message of a failed test.</summary>
internal sealed class LogTail : ILoggerProvider
{
    private const int Kept = 300;

    private readonly ConcurrentQueue<string> _lines = new();
    private readonly StringWriter _console = new();

    public LogTail() => Console = TextWriter.Synchronized(_console);

    public string Text => string.Join('\n', _lines);

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

    private void Add(string line)
    {
        _lines.Enqueue(line);
        while (_lines.Count > Kept)
        {
            _lines.TryDequeue(out _);
        }
    }

    private sealed class Logger(LogTail lines, string category) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull
            => null;

        public bool IsEnabled(LogLevel logLevel) => logLevel >= LogLevel.Information;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            lines.Add($"{category[(category.LastIndexOf('.') + 1)..]}: {formatter(state, exception)}{(exception is null ? "" : $"\n{exception}")}");
    }
}
