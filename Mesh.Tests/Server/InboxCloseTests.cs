using Mesh.Protocol;
using Mesh.Server.Core;
using Mesh.Server.Hosting;

namespace Mesh.Tests.Server;

/// <summary>A loop that ends leaves nobody without an answer.</summary>
public sealed class InboxCloseTests
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(30);

    private readonly CoreInputQueue _inputs = new();

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Close_SubmissionThatTheLoopHasTaken_IsAnsweredUnknown()
    {
        _inputs.Open();
        var submitted = SubmitAsync();
        Assert.True(_inputs.Reader.TryRead(out _));

        _inputs.Close();

        Assert.Equal(SubmitOutcome.Unknown, await submitted.WaitAsync(Limit, Stop));
    }

    [Fact]
    public async Task Close_SubmissionThatTheLoopHasNotTaken_IsAnsweredStopping()
    {
        _inputs.Open();
        var submitted = SubmitAsync();

        _inputs.Close();

        Assert.Equal(SubmitOutcome.Stopping, await submitted.WaitAsync(Limit, Stop));
        Assert.Equal(SubmitOutcome.Stopping, await SubmitAsync().WaitAsync(Limit, Stop));
    }

    [Fact]
    public async Task Read_ThatFailsTheLoop_IsAnswered()
    {
        var read = _inputs.QueryAsync<int>(_ => throw new InvalidOperationException("a bug"));
        Assert.True(_inputs.Reader.TryRead(out var item));

        Assert.Throws<InvalidOperationException>(() => ((CoreQuery)item.Subject!).Run(null!));

        await Assert.ThrowsAsync<LoopStoppedException>(() => read.WaitAsync(Limit, Stop));
    }

    [Fact]
    public async Task Command_ThatFailsTheLoop_IsAnswered()
    {
        var command = _inputs.CommandAsync<int>((_, _) => throw new InvalidOperationException("a bug"));
        Assert.True(_inputs.Reader.TryRead(out var item));

        Assert.Throws<InvalidOperationException>(() => ((CoreCommand)item.Subject!).Run(null!, default));

        await Assert.ThrowsAsync<LoopStoppedException>(() => command.WaitAsync(Limit, Stop));
    }

    private Task<SubmitOutcome> SubmitAsync() =>
        _inputs.SubmitAsync([new TaskRecord("t1", new TaskId("t1"), TaskType.Query, "maria", Amount: null, Sequence: 0)]);
}
