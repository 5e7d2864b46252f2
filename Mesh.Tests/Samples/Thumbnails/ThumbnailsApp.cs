using Mesh.Tests.Browser;

namespace Mesh.Tests.Samples.Thumbnails;

/// <summary>The sample's AppHost, started once for all tests of a class.</summary>
public sealed class ThumbnailsApp : IAsyncLifetime
{
    internal Lazy<Task<AppHostRun>> Host { get; } = new(() =>
        AppHostRun.StartAsync<Projects.Thumbnails_AppHost>("redis", "server-a", "server-b", "web", "workers-a", "workers-b"));

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public async ValueTask DisposeAsync()
    {
        if (Host.IsValueCreated)
        {
            await (await Host.Value).DisposeAsync();
        }
    }
}
