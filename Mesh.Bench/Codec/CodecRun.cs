using System.Buffers;
using System.Diagnostics;
using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using Mesh.Protocol;
using TaskStatus = Mesh.Protocol.TaskStatus;

namespace Mesh.Bench.Codec;

/// <summary>Measures the time and the allocation of one written message, with <see cref="MessageWriter"/> and with a reused <see cref="Utf8JsonWriter"/>.</summary>
internal static class CodecRun
{
    private const int Messages = 2_000;

    private static readonly JsonWriterOptions Options = new() { SkipValidation = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    // Encoded once, because Utf8JsonWriter checks a name that is passed as bytes for characters to escape at each call.
    private static readonly JsonEncodedText Task = JsonEncodedText.Encode("TASK");
    private static readonly JsonEncodedText Update = JsonEncodedText.Encode("UPDATE");
    private static readonly JsonEncodedText User = JsonEncodedText.Encode("USER");
    private static readonly JsonEncodedText Amount = JsonEncodedText.Encode("AMOUNT");
    private static readonly JsonEncodedText TaskId = JsonEncodedText.Encode("TASK_ID");
    private static readonly JsonEncodedText Worker = JsonEncodedText.Encode("WORKER");
    private static readonly JsonEncodedText Alive = JsonEncodedText.Encode("ALIVE");
    private static readonly JsonEncodedText WorkerUuid = JsonEncodedText.Encode("WORKER_UUID");
    private static readonly JsonEncodedText Status = JsonEncodedText.Encode("STATUS");
    private static readonly JsonEncodedText Ok = JsonEncodedText.Encode("OK");
    private static readonly JsonEncodedText Result = JsonEncodedText.Encode("RESULT");
    private static readonly JsonEncodedText Ack = JsonEncodedText.Encode("ACK");

    /// <summary>Prints one line for each message of the task cycle.</summary>
    public static int Run(int rounds, TextWriter output, CancellationToken cancellationToken)
    {
        var (worker, task) = (new WorkerId("WORKER_1a2b3c"), new TaskId("0190a1b2c3d4e5f60718293a4b5c6d7e"));
        MeshMessage[] cycle =
        [
            new GetTask(worker), new NewTask(TaskType.Update, "maria", 12.5m) { Id = task }, new TaskStatus(TaskOutcome.Ok, TaskType.Update, worker) { Id = task, Result = RawJson.Of(112.5m) }, new Mesh.Protocol.Ack { Id = task },
        ];
        var bytes = new ArrayBufferWriter<byte>(4_096);
        using var json = new Utf8JsonWriter(bytes, Options);
        output.WriteLine("message      MessageWriter             Utf8JsonWriter");
        foreach (var message in cycle)
        {
            var own = Measure(rounds, bytes, () => MessageWriter.Write(bytes, message), cancellationToken);
            var library = Measure(rounds, bytes, () => WriteWithLibrary(json, bytes, message), cancellationToken);
            output.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"{message.GetType().Name,-12} {own.Nanoseconds,6:0.0} ns {own.Bytes,6:0.0} bytes   {library.Nanoseconds,6:0.0} ns {library.Bytes,6:0.0} bytes"));
        }

        return 0;
    }

    private static (double Nanoseconds, double Bytes) Measure(int rounds, ArrayBufferWriter<byte> bytes, Action write, CancellationToken cancellationToken)
    {
        var (fastest, allocated) = (TimeSpan.MaxValue, long.MaxValue);
        for (var round = 0; round < rounds; round++)
        {
            cancellationToken.ThrowIfCancellationRequested();
            var (before, began) = (GC.GetAllocatedBytesForCurrentThread(), Stopwatch.GetTimestamp());
            for (var i = 0; i < Messages; i++)
            {
                bytes.ResetWrittenCount();
                write();
            }

            var elapsed = Stopwatch.GetElapsedTime(began);
            fastest = elapsed < fastest ? elapsed : fastest;
            allocated = Math.Min(allocated, GC.GetAllocatedBytesForCurrentThread() - before);
        }

        return (fastest.TotalNanoseconds / Messages, (double)allocated / Messages);
    }

    private static void WriteWithLibrary(Utf8JsonWriter json, ArrayBufferWriter<byte> bytes, MeshMessage message)
    {
        json.Reset(bytes);
        json.WriteStartObject();
        switch (message)
        {
            case GetTask m:
                json.WriteString(Worker, Alive);
                json.WriteString(WorkerUuid, m.Worker.Value);
                break;
            case NewTask m:
                json.WriteString(Task, Update);
                json.WriteString(User, m.User);
                json.WriteNumber(Amount, m.Amount!.Value);
                json.WriteString(TaskId, m.Id!.Value.Value);
                break;
            case TaskStatus m:
                json.WriteString(Status, Ok);
                json.WriteString(Task, Update);
                json.WriteString(WorkerUuid, m.Worker.Value);
                json.WriteString(TaskId, m.Id!.Value.Value);
                json.WritePropertyName(Result);
                json.WriteRawValue(m.Result!.Value.Utf8.Span, skipInputValidation: true);
                break;
            case Mesh.Protocol.Ack m:
                json.WriteString(Status, Ack);
                json.WriteString(TaskId, m.Id!.Value.Value);
                break;
            default:
                throw new InvalidOperationException($"{message.GetType().Name} is not a message of the task cycle.");
        }

        json.WriteEndObject();
        json.Flush();
    }
}
