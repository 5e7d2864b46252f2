using Mesh.Server.Hosting.Options;
using Mesh.Server.ServerLeases;
using Mesh.Tests.Fixtures;

namespace Mesh.Tests.Server.Hosting;

/// <summary>A process whose execution was suspended checks whether it still holds its lease before it continues.</summary>
public sealed class ServerLeaseRenewerTests : IAsyncDisposable
{
    private static readonly TimeSpan Expiry = new ServerLeaseOptions().Expiry;
    private readonly ServerLeaseHarness _harness = new();
    private readonly TaskCompletionSource _answer = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _asked = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public ServerLeaseRenewerTests() => _harness.Store.BeforeRenewal = () =>
    {
        _asked.TrySetResult();
        return _answer.Task;
    };

    private ServerLeaseRenewer Lease => _harness.Renewer;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Lease_RenewalUnanswered_IsOverdueUntilTheAnswer()
    {
        await _harness.AcquireAsync();
        _harness.Run(Lease.RunAsync);
        Assert.False(Lease.IsOverdue);

        _harness.Time.Advance(Expiry * 4);
        await _asked.Task.OrFailAsync("the renewal of the lease");
        Assert.True(Lease.IsOverdue);

        var confirmation = Lease.RevalidateAsync(Stop);
        _answer.SetResult();
        await confirmation;
        Assert.False(Lease.IsOverdue);
    }

    [Fact]
    public async Task Confirmation_StoreDoesNotAnswer_DelaysOncePerInterval()
    {
        await _harness.AcquireAsync();
        _harness.Time.Advance(Expiry * 2);
        Assert.True(Lease.IsOverdue);
        var confirmation = Lease.RevalidateAsync(Stop);
        _harness.Time.Advance(TimeSpan.FromSeconds(1));
        await confirmation.OrFailAsync("the confirmation");
        Assert.False(Lease.IsOverdue);

        _harness.Time.Advance(Expiry);
        Assert.True(Lease.IsOverdue);
        _answer.SetResult();
    }

    public ValueTask DisposeAsync()
    {
        _answer.TrySetResult();
        return _harness.DisposeAsync();
    }
}
