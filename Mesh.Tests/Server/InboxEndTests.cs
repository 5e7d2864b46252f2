using Mesh.Protocol;
using Mesh.Server.Core;
using Mesh.Server.Hosting;

namespace Mesh.Tests.Server;

/// <summary>A loop that ends leaves nobody without an answer.</summary>
public sealed class InboxEndTests
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(30);

    private readonly MeshInbox _inbox = new();

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Close_SubmissionThatTheLoopHasTaken_IsAnsweredUnknown()
    {
        _inbox.Open();
        var submitted = SubmitAsync();
        Assert.True(_inbox.Reader.TryRead(out _));

        _inbox.Close();

        Assert.Equal(SubmitOutcome.Unknown, await submitted.WaitAsync(Limit, Stop));
    }

    [Fact]
    public async Task Close_SubmissionThatTheLoopHasNotTaken_IsAnsweredStopping()
    {
        _inbox.Open();
        var submitted = SubmitAsync();

        _inbox.Close();

        Assert.Equal(SubmitOutcome.Stopping, await submitted.WaitAsync(Limit, Stop));
        Assert.Equal(SubmitOutcome.Stopping, await SubmitAsync().WaitAsync(Limit, Stop));
    }

    [Fact]
    public async Task Read_ThatFailsTheLoop_IsAnswered()
    {
        var read = _inbox.ReadAsync<int>(_ => throw new InvalidOperationException("a bug"));
        Assert.True(_inbox.Reader.TryRead(out var item));

        Assert.Throws<InvalidOperationException>(() => ((CoreRead)item.Subject!).Run(null!));

        await Assert.ThrowsAsync<LoopEndedException>(() => read.WaitAsync(Limit, Stop));
    }

    [Fact]
    public async Task Command_ThatFailsTheLoop_IsAnswered()
    {
        var command = _inbox.CommandAsync<int>((_, _) => throw new InvalidOperationException("a bug"));
        Assert.True(_inbox.Reader.TryRead(out var item));

        Assert.Throws<InvalidOperationException>(() => ((CoreCommand)item.Subject!).Run(null!, default));

        await Assert.ThrowsAsync<LoopEndedException>(() => command.WaitAsync(Limit, Stop));
    }

    private Task<SubmitOutcome> SubmitAsync() =>
        _inbox.SubmitAsync([new TaskRecord("t1", new TaskId("t1"), TaskType.Query, "maria", Amount: null, Sequence: 0)]);
}
