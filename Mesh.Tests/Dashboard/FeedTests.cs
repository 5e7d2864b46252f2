using System.Text.Json;
using Aspire.Hosting;
using Aspire.Hosting.ApplicationModel;
using Mesh.Tests.Embedded;
using MeshAspire.Embedded.Dashboard;
using MeshAspire.Embedded.Dashboard.Feed;
using MeshAspire.Embedded.Running;
using Microsoft.Extensions.DependencyInjection;

namespace Mesh.Tests.Dashboard;

public sealed class FeedTests
{
    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Feed_FromTheAppHost_ArrivesInTheDashboard()
    {
        await using var dashboard = await DashboardUnderTest.StartAsync();
        await using var app = new EmbeddedApp();
        var secret = app.Builder.AddParameter("word", new GenerateParameterDefault { MinLength = 20 }, secret: true);
        var broken = app.Builder.AddProject<EndsAtOnce>("broken").WithHttpEndpoint().WithEnvironment("Plain", "said").WithEnvironment("Hidden", secret);
        var feed = app.App.Services.GetRequiredService<DashboardFeed>();
        feed.Start(["broken"]);
        await app.App.StartAsync(Cancelled);
        await app.WaitAsync("broken", one => one.Snapshot.ExitCode == 2);
        await app.App.StopAsync(Cancelled);

        // The end of the text ends the writing, as the end of a process would.
        using var over = new CancellationTokenSource();
        await using var text = new Lines(line =>
        {
            dashboard.Service<FeedLink>().Take(line);
            if (dashboard.Service<ConsoleStore>().Newest("broken", 10).Count > 0)
            {
                over.Cancel();
            }
        });
        await feed.WriteAsync(text, over.Token).WaitAsync(EmbeddedApp.Patience, Cancelled);

        var resource = dashboard.Service<ResourceBoard>().Find("broken")!;
        Assert.Equal(("broken", "Project", KnownResourceStates.Exited, true), (resource.Name, resource.Type, resource.State, resource.Commands));
        Assert.Equal(broken.GetEndpoint("http").Url, resource.Endpoints.Single().Url);
        Assert.Equal([("Hidden", true), ("Plain", false)], resource.Environment.Where(one => one.Name is "Plain" or "Hidden").Select(one => (one.Name, one.Secret)));
        Assert.NotNull(resource.Started);
    }

    [Fact]
    public void Messages_OfTheFeed_AreOneLineOfJson()
    {
        var message = JsonSerializer.Serialize(new FeedMessage(Line: new FeedLine("a", default, "text", true)), FeedJson.Default.FeedMessage);
        Assert.Equal("""{"line":{"resource":"a","time":"0001-01-01T00:00:00+00:00","text":"text","notice":true}}""", message);
        Assert.Equal("""{"ready":false,"command":{"resource":"a","action":"Restart"}}""",
            JsonSerializer.Serialize(new FeedReply(Command: new FeedCommand("a", FeedAction.Restart)), FeedJson.Default.FeedReply));
    }

    [Fact]
    public async Task Replica_ObeyingCommands_StopsStartsAndRestarts()
    {
        await using var app = new EmbeddedApp();
        app.Builder.AddProject<Runs>("runs");
        await app.App.StartAsync(Cancelled);
        var orchestrator = app.App.Services.GetRequiredService<Orchestrator>();
        var first = await app.WaitAsync("runs", one => one.Snapshot.State?.Text == KnownResourceStates.Running);

        orchestrator.Obey(new FeedCommand("runs", FeedAction.Restart));
        var second = await app.WaitAsync("runs", one => one.Snapshot.State?.Text == KnownResourceStates.Running && one.Snapshot.Restarts == 1);
        Assert.NotEqual(first.Snapshot.ProcessId, second.Snapshot.ProcessId);

        orchestrator.Obey(new FeedCommand("runs", FeedAction.Stop));
        await app.WaitAsync("runs", one => one.Snapshot.State?.Text == KnownResourceStates.Exited && one.Snapshot.ProcessId is null);

        orchestrator.Obey(new FeedCommand("runs", FeedAction.Start));
        await app.WaitAsync("runs", one => one.Snapshot.State?.Text == KnownResourceStates.Running && one.Snapshot.Restarts == 2);
        await app.App.StopAsync(Cancelled);
    }

    private sealed class Lines(Action<string> take) : StringWriter
    {
        public override Task WriteLineAsync(string? value)
        {
            take(value!);
            return Task.CompletedTask;
        }
    }
}
