using System.Text.Json;
using MeshAspire.Embedded.Dashboard.Access;

namespace MeshAspire.Embedded.Dashboard.Feed;

/// <summary>The line to the AppHost: standard input and output. When the input ends the AppHost is gone, and the dashboard goes too.</summary>
internal sealed partial class FeedLink(
    DashboardOptions options, ResourceBoard board, ConsoleStore console, IHostApplicationLifetime lifetime, ILogger<FeedLink> logger) : IHostedService
{
    private readonly Lock _lock = new();
    private Task _reading = Task.CompletedTask;

    public bool IsThere => options.Feed;

    public Task StartAsync(CancellationToken cancellationToken)
    {
        if (options.Feed)
        {
            lifetime.ApplicationStarted.Register(() => Send(new FeedReply(Ready: true)));
            _reading = Task.Factory.StartNew(Read, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
        }

        return Task.CompletedTask;
    }

    /// <summary>A read of standard input can't be cancelled: it ends with the process, unless it is what ends it.</summary>
    public Task StopAsync(CancellationToken cancellationToken) => _reading.IsCompleted ? _reading : Task.CompletedTask;

    public void Send(FeedCommand command) => Send(new FeedReply(Command: command));

    private void Send(FeedReply reply)
    {
        lock (_lock)
        {
            Console.Out.WriteLine(JsonSerializer.Serialize(reply, FeedJson.Default.FeedReply));
            Console.Out.Flush();
        }
    }

    /// <summary>Takes one line of the feed; one that can't be read is logged and left.</summary>
    internal void Take(string line)
    {
        FeedMessage? message;
        try
        {
            message = JsonSerializer.Deserialize(line, FeedJson.Default.FeedMessage);
        }
        catch (JsonException exception)
        {
            LogUnreadable(exception.Message);
            return;
        }

        if (message?.Resource is { } resource)
        {
            board.Set(resource);
        }

        if (message?.Line is { } text)
        {
            console.Add(text);
        }
    }

    private void Read()
    {
        while (Console.In.ReadLine() is { } line)
        {
            Take(line);
        }

        lifetime.StopApplication();
    }
}
