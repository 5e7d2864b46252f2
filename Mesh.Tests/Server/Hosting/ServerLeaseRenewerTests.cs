using Mesh.Protocol;
using Mesh.Server.Core;
using Mesh.Server.Hosting.Options;
using Mesh.Server.Loop;
using Mesh.Server.ServerLeases;
using Mesh.Tests.Fixtures;
using Mesh.Tests.Server.Storage;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Time.Testing;

namespace Mesh.Tests.Server.Hosting;

/// <summary>A process whose execution was suspended checks whether it still holds its claim before it continues.</summary>
public sealed class ServerLeaseRenewerTests : IAsyncDisposable
{
    private static readonly ServerId Self = new("server-a");
    private static readonly TimeSpan Expiry = new ServerLeaseOptions().Expiry;
    private readonly CancellationTokenSource _stop = new();
    private readonly FakeTimeProvider _time = new();
    private readonly InMemoryMeshStore _store = new(Self);
    private readonly TaskCompletionSource _answer = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _asked = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly ServerLeaseRenewer _claim;
    private Task _running = Task.CompletedTask;

    public ServerLeaseRenewerTests()
    {
        _claim = new ServerLeaseRenewer(_store, new CoreInputQueue(), new ServerReadiness(), new LocalProcess(), Options.Create(new MeshOptions()), _time, NullLogger<ServerLeaseRenewer>.Instance);
        _store.BeforeRenewal = () =>
        {
            _asked.TrySetResult();
            return _answer.Task;
        };
    }

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Lease_RenewalUnanswered_IsOverdueUntilTheAnswer()
    {
        await AcquireAsync();
        _running = _claim.RunAsync(_stop.Token);
        Assert.False(_claim.IsOverdue);

        _time.Advance(Expiry * 4);
        await _asked.Task.OrFailAsync("the renewal of the claim");
        Assert.True(_claim.IsOverdue);

        var confirmation = _claim.RevalidateAsync(Stop);
        _answer.SetResult();
        await confirmation;
        Assert.False(_claim.IsOverdue);
    }

    [Fact]
    public async Task Confirmation_StoreDoesNotAnswer_DelaysOncePerInterval()
    {
        await AcquireAsync();
        _time.Advance(Expiry * 2);
        Assert.True(_claim.IsOverdue);
        var confirmation = _claim.RevalidateAsync(Stop);
        _time.Advance(TimeSpan.FromSeconds(1));
        await confirmation.OrFailAsync("the confirmation");
        Assert.False(_claim.IsOverdue);

        _time.Advance(Expiry);
        Assert.True(_claim.IsOverdue);
        _answer.SetResult();
    }

    public async ValueTask DisposeAsync()
    {
        _answer.TrySetResult();
        await _stop.CancelAsync();
        await _running;
        _stop.Dispose();
    }

    private Task AcquireAsync() =>
        _claim.AcquireAsync(new ServerSettings { Id = Self, Advertise = new MeshEndpoint("127.0.0.1", 9001), Peers = [] }, Stop);
}
