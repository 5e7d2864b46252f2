using System.Buffers;
using Mesh.Protocol;
using TaskStatus = Mesh.Protocol.TaskStatus;

namespace Mesh.Bench.Compare.Micro;

/// <summary>The messages of one task, by their names.</summary>
internal static class SampleMessages
{
    private static readonly WorkerId Worker = new("WORKER_1a2b3c");
    private static readonly TaskId Task = new("0190a1b2c3d4e5f60718293a4b5c6d7e");

    public static IEnumerable<string> Names => ["get_task", "new_task", "status", "ack"];

    public static MeshMessage Create(string name) => name switch
    {
        "get_task" => new GetTask(Worker),
        "new_task" => new NewTask(TaskType.Update, "maria", 12.5m) { Id = Task },
        "status" => new TaskStatus(TaskOutcome.Ok, TaskType.Update, Worker) { Id = Task, Result = RawJson.Of(112.5m) },
        "ack" => new Ack { Id = Task },
        _ => throw new ArgumentException($"{name} is not a message of the task cycle."),
    };

    public static byte[] Write(string name)
    {
        var bytes = new ArrayBufferWriter<byte>();
        MessageWriter.Write(bytes, Create(name));
        return bytes.WrittenSpan.ToArray();
    }
}
