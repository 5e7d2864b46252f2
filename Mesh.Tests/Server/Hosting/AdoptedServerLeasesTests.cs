using Mesh.Protocol;
using Mesh.Server.Core.Persistence;
using Mesh.Server.Core.Tasks;
using Mesh.Server.Loop;
using Mesh.Server.ServerLeases;
using Mesh.Tests.Fixtures;
using Mesh.Tests.Server.Storage;
using Microsoft.Extensions.Logging.Abstractions;

namespace Mesh.Tests.Server.Hosting;

/// <summary>The leases of servers that stay dead.</summary>
public sealed class AdoptedServerLeasesTests : IAsyncDisposable
{
    private static readonly ServerId Dead = new("server-b");
    private static readonly ServerId AlsoDead = new("server-c");
    private readonly ServerLeaseHarness _harness = new();

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Acquire_StateUnreadable_IsReleasedAndNextIsServed()
    {
        _harness.Store.Faults[Dead] = new InvalidDataException("It is of a later version.");
        var leases = await StartAsync();

        leases.Acquire(Dead);
        Assert.Equal((LoopInputKind.AdoptionRefused, "server-b"), await NextAsync());
        await AcquireLeaseAsync(Dead);

        leases.Acquire(AlsoDead);
        Assert.Equal((LoopInputKind.Adopted, "server-c"), await NextAsync());
    }

    [Fact]
    public async Task Acquire_UnexpectedException_EndsTheLoop()
    {
        _harness.Store.Faults[Dead] = new InvalidOperationException("A bug.");
        var leases = await StartAsync();

        leases.Acquire(Dead);

        Assert.Equal(LoopInputKind.Faulted, (await NextAsync()).Kind);
    }

    [Fact]
    public async Task Stop_AdoptedServers_ReleasesAllLeases()
    {
        var leases = await StartAsync();
        leases.Acquire(Dead);
        leases.Acquire(AlsoDead);
        Assert.Equal((LoopInputKind.Adopted, "server-b"), await NextAsync());
        Assert.Equal((LoopInputKind.Adopted, "server-c"), await NextAsync());

        await _harness.DisposeAsync();

        await AcquireLeaseAsync(Dead);
        await AcquireLeaseAsync(AlsoDead);
    }

    public ValueTask DisposeAsync() => _harness.DisposeAsync();

    private async Task<AdoptedServerLeases> StartAsync()
    {
        foreach (var server in new[] { Dead, AlsoDead })
        {
            var store = await AcquireLeaseAsync(server);
            await StoreOperations.WriteAsync(
                store, StoreOp.Of(StoreOpKind.AcceptTask, new TaskRecord("t1", new TaskId("t1"), TaskType.Query, "maria", Amount: null, Sequence: 1)));
            await store.ReleaseLeaseAsync(server, Stop);
        }

        await _harness.AcquireAsync();
        var leases = new AdoptedServerLeases(_harness.Store, _harness.Renewer, _harness.Inputs, new LocalProcess(), _harness.Time, NullLogger<AdoptedServerLeases>.Instance);
        _harness.Run(leases.RunAsync);
        return leases;
    }

    /// <summary>Another server acquires the lease, which is free.</summary>
    private async Task<InMemoryMeshStore> AcquireLeaseAsync(ServerId server)
    {
        var store = new InMemoryMeshStore(server, _harness.Namespace);
        await StoreOperations.AcquireLeaseAsync(store, server, $"{server}-itself", server.Value);
        return store;
    }

    private async Task<(LoopInputKind Kind, string? Id)> NextAsync()
    {
        var item = await _harness.Inputs.Reader.ReadAsync(Stop).AsTask().OrFailAsync("an input for the loop");
        return (item.Kind, item.Id);
    }
}
