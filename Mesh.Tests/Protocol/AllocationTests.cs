using System.Buffers;
using System.Text;
using Mesh.Protocol;
using TaskStatus = Mesh.Protocol.TaskStatus;

namespace Mesh.Tests.Protocol;

public sealed class AllocationTests
{
    private const int Rounds = 1000;

    [Theory]
    [InlineData("""{"STATUS": "ACK"}""", typeof(Ack))]
    [InlineData("""{"TASK": "NO_TASK", "whatever": ["is", {"not": "known"}]}""", typeof(NoTask))]
    public void Reading_WithoutText_AllocatesNothing(string json, Type expected)
    {
        var bytes = Encoding.UTF8.GetBytes(json);
        Assert.True(MessageReader.TryRead(bytes, out var message, out _));
        Assert.IsType(expected, message);
        Assert.Equal(0, BytesPer(() => MessageReader.TryRead(bytes, out _, out _)));
    }

    [Fact]
    public void Reading_AllocatesTheMessageAndItsStrings()
    {
        var task = new NewTask(TaskType.Query, "maria") { Id = new("task-0123456789") };
        var bytes = Wire.Bytes(task);
        Assert.True(MessageReader.TryRead(bytes, out var message, out _));
        Assert.Equal(task, message);
        var expected = BytesPer(() => _ = new NewTask(TaskType.Query, new string('u', 5)) { Id = new(new string('t', 15)) });
        Assert.Equal(expected, BytesPer(() => MessageReader.TryRead(bytes, out _, out _)));
    }

    [Fact]
    public void Reading_ManyWorkers_AllocatesTheListAndItsStrings()
    {
        WorkerId[] ids = [.. Enumerable.Range(0, 100).Select(i => new WorkerId($"worker-{i:000}"))];
        var ack = new ReleaseAck(new("s"), WorkerList.Create(ids));
        var bytes = Wire.Bytes(ack);
        Assert.True(MessageReader.TryRead(bytes, out var message, out _));
        Assert.Equal(ack, message);
        var expected = BytesPer(() =>
        {
            _ = new ReleaseAck(new(new string('s', 1)), WorkerList.Create(ids));
            for (var i = 0; i < ids.Length; i++)
            {
                _ = new string('w', 10);
            }
        });
        Assert.Equal(expected, BytesPer(() => MessageReader.TryRead(bytes, out _, out _)));
    }

    /// <summary>The messages of one QUERY. The parser makes an array for RESULT, and uses the sets of types of the last messages again.</summary>
    [Fact]
    public void Reading_TheCycleOfATask_AllocatesTheMessagesAndTheirStrings()
    {
        var types = TaskTypeSet.Of(TaskType.Query, TaskType.Update, new("IMAGE.RESIZE"));
        byte[][] cycle =
        [
            Wire.Bytes(new GetTask(new("w")) { Tasks = types }),
            Wire.Bytes(new NewTask(TaskType.Query, "maria") { Id = new("t") }),
            Wire.Bytes(new TaskStatus(TaskOutcome.Ok, TaskType.Query, new("w")) { Id = new("t"), Result = RawJson.Of(12.5m) }),
            Wire.Bytes(new Ack { Worker = new("w"), Id = new("t") }),
            Wire.Bytes(new NewTask(new("IMAGE.RESIZE")) { Payload = RawJson.Copy("[1,2]"u8) }),
        ];
        var result = RawJson.Of(12.5m);
        var expected = BytesPer(() =>
        {
            _ = new GetTask(new(Letter())) { Tasks = types };
            _ = new NewTask(TaskType.Query, new string('u', 5)) { Id = new(Letter()) };
            _ = new TaskStatus(TaskOutcome.Ok, TaskType.Query, new(Letter())) { Id = new(Letter()), Result = result };
            _ = new byte[4];
            _ = new Ack { Worker = new(Letter()), Id = new(Letter()) };
            _ = new NewTask(new("IMAGE.RESIZE")) { Payload = result };
            _ = new byte[5];
        });

        // Tests that run at the same time can replace a set or a name that is kept.
        var actual = Enumerable.Range(0, 20).Min(_ => BytesPer(() =>
        {
            foreach (var bytes in cycle)
            {
                MessageReader.TryRead(bytes, out MeshMessage? _, out ProtocolError _);
            }
        }));
        Assert.Equal(expected, actual);
    }

    [Fact]
    public void Writing_AllocatesNothing()
    {
        var output = new ArrayBufferWriter<byte>(64 * 1024);
        MeshMessage[] messages =
        [
            new NoTask(),
            new Ack { Worker = new("w"), Id = new("t") },
            new GetTask(new("w"), new("s")) { Tasks = TaskTypeSet.Of(TaskType.Query, TaskType.Update) },
            new NewTask(TaskType.Update, "joão", 12.5m) { Id = new("t") },
            new TaskStatus(TaskOutcome.Nok, TaskType.Query, new("w")) { Error = "\"quoted\"\n\U0001F600", Result = RawJson.Of(1.5m) },
            new NewTask(new("RESIZE")) { Payload = RawJson.Copy("[1,2]"u8) },
            new TaskStatus(TaskOutcome.Running, new("RESIZE"), new("w")) { Progress = 0.5 },
            new TaskStatus(TaskOutcome.Nok, new("RESIZE"), new("w")) { RetryAfter = TimeSpan.FromSeconds(1.5), MayRetry = false },
            new Redirect(new("h", 1)) { Framing = Framing.Line },
            new HeartbeatResponse(new("s")) { Load = new(1, 2) },
            new ReleaseAck(new("s"), [new("a"), new("b")]),
        ];
        Assert.Equal(0, BytesPer(() =>
        {
            output.ResetWrittenCount();
            foreach (var message in messages)
            {
                MessageWriter.Write(output, message);
            }
        }));
    }

    private static string Letter() => new('x', 1);

    private static long BytesPer(Action action)
    {
        // The first call creates static fields and pooled arrays.
        action();
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < Rounds; i++)
        {
            action();
        }

        return (GC.GetAllocatedBytesForCurrentThread() - before) / Rounds;
    }
}
