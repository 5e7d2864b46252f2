using System.Collections.Concurrent;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Mesh.Tests.Server.Api;

/// <summary>Requests whose body is not valid HTTP.</summary>
public sealed class BrokenRequestTests
{
    [Fact]
    public async Task Body_InvalidChunks_Is400()
    {
        await using var server = await TestServer.StartAsync();
        using var errors = new ErrorLog();
        server.Services.GetRequiredService<ILoggerFactory>().AddProvider(errors);
        using var socket = await server.ConnectAsync();

        await socket.SayAsync("POST /tasks HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n");

        Assert.Equal("HTTP/1.1 400 Bad Request\r", await socket.HearLineAsync());
        var answer = "";
        while (await socket.HearLineAsync() is { } line && !answer.Contains("status", StringComparison.Ordinal))
        {
            answer += line;
        }

        Assert.Contains("application/problem+json", answer, StringComparison.Ordinal);
        Assert.Empty(errors.Written);
    }

    private sealed class ErrorLog : ILoggerProvider, ILogger
    {
        public ConcurrentQueue<string> Written { get; } = [];

        public ILogger CreateLogger(string categoryName) => this;

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => logLevel >= LogLevel.Error;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            Written.Enqueue($"{formatter(state, exception)} {exception}");

        public void Dispose()
        {
        }
    }
}
