using Mesh.Protocol;
using Mesh.Server.Core.Tasks;
using Mesh.Server.Loop;
using Mesh.Tests.Fixtures;

namespace Mesh.Tests.Server.Hosting;

/// <summary>A loop that ends answers all pending requests.</summary>
public sealed class InboxCloseTests
{
    private readonly CoreInputQueue _inputs = new();

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Close_SubmissionThatTheLoopHasTaken_IsAnsweredUnknown()
    {
        _inputs.Open();
        var submitted = SubmitAsync();
        Assert.True(_inputs.Reader.TryRead(out _));

        _inputs.Close();

        Assert.Equal(SubmitOutcome.Unknown, await submitted.OrFailAsync("the answer to the submission"));
    }

    [Fact]
    public async Task Close_SubmissionThatTheLoopHasNotTaken_IsAnsweredStopping()
    {
        _inputs.Open();
        var submitted = SubmitAsync();

        _inputs.Close();

        Assert.Equal(SubmitOutcome.Stopping, await submitted.OrFailAsync("the answer to the submission"));
        Assert.Equal(SubmitOutcome.Stopping, await SubmitAsync().OrFailAsync("the answer to a later submission"));
    }

    [Fact]
    public async Task Read_FailsTheLoop_IsAnswered()
    {
        var read = _inputs.QueryAsync<int>(_ => throw new InvalidOperationException("a bug"));
        Assert.True(_inputs.Reader.TryRead(out var item));

        Assert.Throws<InvalidOperationException>(() => ((CoreQuery)item.Subject!).Run(null!));

        await Assert.ThrowsAsync<LoopStoppedException>(() => read.OrFailAsync("the end of the read"));
    }

    [Fact]
    public async Task Command_FailsTheLoop_IsAnswered()
    {
        var command = _inputs.CommandAsync<int>((_, _) => throw new InvalidOperationException("a bug"));
        Assert.True(_inputs.Reader.TryRead(out var item));

        Assert.Throws<InvalidOperationException>(() => ((CoreCommand)item.Subject!).Run(null!, default));

        await Assert.ThrowsAsync<LoopStoppedException>(() => command.OrFailAsync("the end of the command"));
    }

    private Task<SubmitOutcome> SubmitAsync() =>
        _inputs.SubmitAsync([new TaskRecord("t1", new TaskId("t1"), TaskType.Query, "maria", Amount: null, Sequence: 0)]);
}
