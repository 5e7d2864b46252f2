using Mesh.Protocol;
using Mesh.Server.Core;

namespace Mesh.Tests.Core.Workers;

/// <summary>docs/operations.md, "A server's settings": Mesh__Tasks__LineWorkerTimeout.</summary>
public sealed class LineWorkerTimeoutTests
{
    private readonly CoreHarness _mesh = new();

    [Fact]
    public void LineWorker_NoPollWithinTimeout_IsGone()
    {
        _mesh.Close(_mesh.Ask("py", framing: Framing.Line, sendsTypes: false));

        _mesh.Pass(TimeSpan.FromSeconds(19));
        Assert.NotNull(_mesh.WorkerOf("py"));
        Assert.DoesNotContain(_mesh.Events, happened => happened is WorkerLeft);

        _mesh.Pass(TimeSpan.FromSeconds(3));
        Assert.Null(_mesh.WorkerOf("py"));
        Assert.Contains(_mesh.Events, happened => happened is WorkerLeft { Worker.Value: "py" });
    }
}
