using System.Text;
using Mesh.Transport;

namespace Mesh.Tests.Transport;

public sealed class BatchingStreamTests
{
    [Fact]
    public async Task Writes_WhileHeld_GoOutAsOne()
    {
        var inner = new Recorder();
        await using var stream = new BatchingStream(inner);
        await stream.WriteAsync("a"u8.ToArray(), TestContext.Current.CancellationToken);
        stream.BeginBatch();
        await stream.WriteAsync("b"u8.ToArray(), TestContext.Current.CancellationToken);
        await stream.FlushAsync(TestContext.Current.CancellationToken);
        await stream.WriteAsync("c"u8.ToArray(), TestContext.Current.CancellationToken);
        await stream.FlushBatchAsync();
        await stream.WriteAsync("d"u8.ToArray(), TestContext.Current.CancellationToken);
        await stream.FlushBatchAsync();
        Assert.Equal(["a", "bc", "d"], inner.Writes);
    }

    private sealed class Recorder : MemoryStream
    {
        public List<string> Writes { get; } = [];

        public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
        {
            Writes.Add(Encoding.UTF8.GetString(buffer.Span));
            return default;
        }
    }
}
