using Mesh.Protocol;
using Mesh.Server.Core;
using Mesh.Server.Hosting.Options;
using Mesh.Server.Loop;
using Mesh.Server.ServerLeases;
using Mesh.Tests.Server.Storage;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Time.Testing;

namespace Mesh.Tests.Server.Hosting;

/// <summary>A server's own lease over a store in memory, with fake time. Disposing it stops the started loops.</summary>
internal sealed class ServerLeaseHarness : IAsyncDisposable
{
    public static readonly ServerId Self = new("server-a");

    private readonly CancellationTokenSource _stop = new();
    private readonly List<Task> _running = [];

    public ServerLeaseHarness()
    {
        Store = new(Self, Namespace);
        Renewer = new(Store, Inputs, new ServerReadiness(), new LocalProcess(), Options.Create(new MeshOptions()), Time, NullLogger<ServerLeaseRenewer>.Instance);
    }

    public FakeTimeProvider Time { get; } = new();

    public CoreInputQueue Inputs { get; } = new();

    /// <summary>The state that the servers of the mesh share.</summary>
    public InMemoryNamespace Namespace { get; } = new();

    public InMemoryMeshStore Store { get; }

    public ServerLeaseRenewer Renewer { get; }

    public Task AcquireAsync() => Renewer.AcquireAsync(
        new ServerSettings { Id = Self, Advertise = new MeshEndpoint("127.0.0.1", 9001), Peers = [] }, TestContext.Current.CancellationToken);

    /// <summary>Starts a loop that runs until the harness is disposed.</summary>
    public void Run(Func<CancellationToken, Task> loop) => _running.Add(loop(_stop.Token));

    /// <summary>Does nothing when it is called again.</summary>
    public async ValueTask DisposeAsync()
    {
        if (_stop.IsCancellationRequested)
        {
            return;
        }

        await _stop.CancelAsync();
        await Task.WhenAll(_running);
        _stop.Dispose();
    }
}
