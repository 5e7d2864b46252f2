using Mesh.Protocol;
using Mesh.Server.Core;
using Mesh.Server.Core.Persistence;
using Mesh.Server.Core.Tasks;
using Mesh.Server.Hosting.Options;
using Mesh.Server.Loop;
using Mesh.Server.ServerLeases;
using Mesh.Tests.Fixtures;
using Mesh.Tests.Server.Storage;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Time.Testing;

namespace Mesh.Tests.Server.Hosting;

/// <summary>The claims on the state of servers that stay dead.</summary>
public sealed class AdoptedServerLeasesTests : IAsyncDisposable
{
    private static readonly ServerId Self = new("server-a");
    private static readonly ServerId Dead = new("server-b");
    private static readonly ServerId AlsoDead = new("server-c");
    private readonly CancellationTokenSource _stop = new();
    private readonly CoreInputQueue _inputs = new();
    private readonly InMemoryNamespace _place = new();
    private readonly InMemoryMeshStore _store;
    private Task _running = Task.CompletedTask;

    public AdoptedServerLeasesTests() => _store = new(Self, _place);

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Acquire_StateUnreadable_IsReleasedAndNextIsServed()
    {
        _store.Faults[Dead] = new InvalidDataException("It is of a later version.");
        var claims = await StartAsync();

        claims.Acquire(Dead);
        Assert.Equal((LoopInputKind.AdoptionRefused, "server-b"), await NextAsync());
        await AcquireLeaseAsync(Dead);

        claims.Acquire(AlsoDead);
        Assert.Equal((LoopInputKind.Adopted, "server-c"), await NextAsync());
    }

    [Fact]
    public async Task Acquire_UnexpectedException_EndsTheLoop()
    {
        _store.Faults[Dead] = new InvalidOperationException("A bug.");
        var claims = await StartAsync();

        claims.Acquire(Dead);

        Assert.Equal(LoopInputKind.Faulted, (await NextAsync()).Kind);
    }

    [Fact]
    public async Task Stop_AdoptedServers_ReleasesAllLeases()
    {
        var claims = await StartAsync();
        claims.Acquire(Dead);
        claims.Acquire(AlsoDead);
        Assert.Equal((LoopInputKind.Adopted, "server-b"), await NextAsync());
        Assert.Equal((LoopInputKind.Adopted, "server-c"), await NextAsync());

        await DisposeAsync();

        await AcquireLeaseAsync(Dead);
        await AcquireLeaseAsync(AlsoDead);
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _running;
    }

    private async Task<AdoptedServerLeases> StartAsync()
    {
        foreach (var server in new[] { Dead, AlsoDead })
        {
            var store = await AcquireLeaseAsync(server);
            await StoreOperations.WriteAsync(
                store, StoreOp.Of(StoreOpKind.AcceptTask, new TaskRecord("t1", new TaskId("t1"), TaskType.Query, "maria", Amount: null, Sequence: 1)));
            await store.ReleaseLeaseAsync(server, Stop);
        }

        var (time, options) = (new FakeTimeProvider(), Options.Create(new MeshOptions()));
        var own = new ServerLeaseRenewer(_store, _inputs, new ServerReadiness(), new LocalProcess(), options, time, NullLogger<ServerLeaseRenewer>.Instance);
        await own.AcquireAsync(new ServerSettings { Id = Self, Advertise = new MeshEndpoint("127.0.0.1", 9001), Peers = [] }, Stop);
        var claims = new AdoptedServerLeases(_store, own, _inputs, new LocalProcess(), time, NullLogger<AdoptedServerLeases>.Instance);
        _running = claims.RunAsync(_stop.Token);
        return claims;
    }

    /// <summary>Another server takes the claim, which is free.</summary>
    private async Task<InMemoryMeshStore> AcquireLeaseAsync(ServerId server)
    {
        var store = new InMemoryMeshStore(server, _place);
        await StoreOperations.AcquireLeaseAsync(store, server, $"{server}-itself", server.Value);
        return store;
    }

    private async Task<(LoopInputKind Kind, string? Id)> NextAsync()
    {
        var item = await _inputs.Reader.ReadAsync(Stop).AsTask().OrFailAsync("an input for the loop");
        return (item.Kind, item.Id);
    }
}
