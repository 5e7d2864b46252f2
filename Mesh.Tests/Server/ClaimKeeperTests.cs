using Mesh.Protocol;
using Mesh.Server.Core;
using Mesh.Server.Hosting;
using Mesh.Server.Hosting.Options;
using Mesh.Tests.Storage;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Time.Testing;

namespace Mesh.Tests.Server;

/// <summary>A process that was held up finds out whether its claim still stands before it goes on.</summary>
public sealed class ClaimKeeperTests : IAsyncDisposable
{
    private static readonly ServerId Self = new("server-a");
    private static readonly TimeSpan Expiry = new ClaimOptions().Expiry;
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(30);

    private readonly CancellationTokenSource _stop = new();
    private readonly FakeTimeProvider _time = new();
    private readonly InMemoryMeshStore _store = new(Self);
    private readonly TaskCompletionSource _answer = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _asked = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly ClaimKeeper _claim;
    private Task _running = Task.CompletedTask;

    public ClaimKeeperTests()
    {
        _claim = new ClaimKeeper(_store, new MeshInbox(), new LoopState(), Options.Create(new MeshOptions()), _time, NullLogger<ClaimKeeper>.Instance);
        _store.BeforeRenewal = () =>
        {
            _asked.TrySetResult();
            return _answer.Task;
        };
    }

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Claim_WhoseRenewalIsAskedForAndNotAnswered_IsOverdueUntilTheAnswer()
    {
        await TakeAsync();
        _running = _claim.RunAsync(_stop.Token);
        Assert.False(_claim.IsOverdue);

        _time.Advance(Expiry * 4);
        await _asked.Task.WaitAsync(Limit, Stop);
        Assert.True(_claim.IsOverdue);

        var confirmation = _claim.ConfirmAsync(Stop);
        _answer.SetResult();
        await confirmation;
        Assert.False(_claim.IsOverdue);
    }

    [Fact]
    public async Task Confirmation_ThatAStoreDoesNotAnswer_HoldsUpOnceAWhile()
    {
        await TakeAsync();
        _time.Advance(Expiry * 2);
        Assert.True(_claim.IsOverdue);
        var confirmation = _claim.ConfirmAsync(Stop);
        _time.Advance(TimeSpan.FromSeconds(1));
        await confirmation.WaitAsync(Limit, Stop);
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

    private Task TakeAsync() =>
        _claim.TakeAsync(new ServerSettings { Id = Self, Advertise = new MeshEndpoint("127.0.0.1", 9001), Peers = [] }, Stop);
}
