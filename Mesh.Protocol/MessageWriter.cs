using System.Buffers;

namespace Mesh.Protocol;

/// <summary>Writes messages in the exact format of the seed's examples, with our optional fields after those of the seed. Allocates nothing.</summary>
public static class MessageWriter
{
    /// <summary>Writes one message without its framing. The output contains no line break.</summary>
    /// <exception cref="InvalidOperationException">
    /// The message is longer than <see cref="ProtocolLimits.MaxMessageBytes"/>. A part of it may be written. <see cref="Measure"/> tells the length before.
    /// </exception>
    public static void Write(IBufferWriter<byte> output, MeshMessage message)
    {
        ArgumentNullException.ThrowIfNull(output);
        ArgumentNullException.ThrowIfNull(message);
        var json = new JsonTextWriter(output);
        Write(ref json, message);
        if (json.Length > ProtocolLimits.MaxMessageBytes)
        {
            throw new InvalidOperationException($"A {MessageNames.Of(message)} of {json.Length} bytes is longer than {ProtocolLimits.MaxMessageBytes} bytes.");
        }

        json.Commit();
    }

    /// <summary>Returns the length of a message without its framing, in bytes. It can be more than <see cref="ProtocolLimits.MaxMessageBytes"/>.</summary>
    public static int Measure(MeshMessage message)
    {
        ArgumentNullException.ThrowIfNull(message);
        var json = new JsonTextWriter(new DiscardingBufferWriter());
        Write(ref json, message);
        return json.Length;
    }

    private static void Write(ref JsonTextWriter json, MeshMessage message)
    {
        switch (message)
        {
            case NewTask m:
                WriteTask(ref json, m);
                break;
            case GetTask m:
                json.FirstKeyword(WireNames.Worker, WireNames.Alive);
                json.Text(WireNames.WorkerUuid, m.Worker.Value);
                json.OptionalText(WireNames.ServerUuid, m.Home?.Value);
                WriteTasks(ref json, m.Tasks);
                break;
            case TaskStatus m:
                WriteStatus(ref json, m);
                break;
            case Ack m:
                json.FirstKeyword(WireNames.Status, WireNames.Ack);
                json.OptionalText(WireNames.WorkerUuid, m.Worker?.Value);
                json.OptionalText(WireNames.TaskId, m.Id?.Value);
                json.OptionalFlag(WireNames.Cancel, m.Cancel);
                break;
            case NoTask:
                json.FirstKeyword(WireNames.Task, WireNames.NoTask);
                break;
            case Redirect m:
                json.FirstKeyword(WireNames.Task, WireNames.Redirect);
                WriteEndpoint(ref json, WireNames.ServerRedirect, m.Target);
                WriteFraming(ref json, m.Framing);
                break;
            case Return m:
                json.FirstKeyword(WireNames.Task, WireNames.Return);
                WriteEndpoint(ref json, WireNames.ServerReturn, m.Target);
                WriteFraming(ref json, m.Framing);
                break;
            case Heartbeat m:
                json.FirstText(WireNames.ServerUuid, m.Server.Value);
                json.Keyword(WireNames.Task, WireNames.Heartbeat);
                WriteLoad(ref json, m.Load);
                break;
            case HeartbeatResponse m:
                json.FirstText(WireNames.ServerUuid, m.Server.Value);
                json.Keyword(WireNames.Task, WireNames.Heartbeat);
                json.Keyword(WireNames.Response, WireNames.Alive);
                WriteLoad(ref json, m.Load);
                break;
            case WorkerRequest m:
                json.FirstKeyword(WireNames.Task, WireNames.WorkerRequest);
                WriteEndpoint(ref json, WireNames.RequestorInfo, m.Requestor);
                if (m.WorkersNeeded is { } needed)
                {
                    json.Name(WireNames.WorkersNeeded);
                    json.Number(needed);
                }

                json.OptionalText(WireNames.ServerUuid, m.Server?.Value);
                WriteTasks(ref json, m.Tasks);
                break;
            case Available m:
                WriteAnswer(ref json, m.Server, WireNames.Response, WireNames.Available);
                WriteWorkers(ref json, m.Workers);
                break;
            case Unavailable m:
                WriteAnswer(ref json, m.Server, WireNames.Response, WireNames.Unavailable);
                break;
            case CommandRelease m:
                WriteAnswer(ref json, m.Server, WireNames.Task, WireNames.CommandRelease);
                WriteWorkers(ref json, m.Workers);
                break;
            case ReleaseAck m:
                WriteAnswer(ref json, m.Server, WireNames.Response, WireNames.ReleaseAck);
                WriteWorkers(ref json, m.Workers);
                break;
            case ReleaseCompleted m:
                WriteAnswer(ref json, m.Server, WireNames.Response, WireNames.ReleaseCompleted);
                WriteWorkers(ref json, m.Workers);
                break;
            case Rejection m:
                json.FirstKeyword(WireNames.Status, WireNames.Nok);
                json.Text(WireNames.Error, m.Error);
                break;
            default:
                throw new InvalidOperationException($"{message.GetType().Name} has no wire format");
        }

        json.OptionalText(WireNames.TraceParent, message.TraceParent);
        json.Raw("}"u8);
    }

    private static void WriteTask(ref JsonTextWriter json, NewTask task)
    {
        json.FirstText(WireNames.Task, NameOf(task.Type));
        if (task.Type == TaskType.Query || task.Type == TaskType.Update)
        {
            json.Text(WireNames.User, task.User ?? throw new ArgumentException($"A {task.Type} has a user.", nameof(task)));
            if (task.Amount is { } amount)
            {
                json.Number(WireNames.Amount, amount);
            }
        }
        else
        {
            json.OptionalValue(WireNames.Payload, task.Payload);
        }

        json.OptionalText(WireNames.TaskId, task.Id?.Value);
        if (task.Attempt > 1)
        {
            json.Name(WireNames.Attempt);
            json.Number(task.Attempt);
        }
    }

    private static void WriteStatus(ref JsonTextWriter json, TaskStatus status)
    {
        json.FirstKeyword(WireNames.Status, KeywordOf(status.Outcome));
        if (status.Type is { } type)
        {
            json.Text(WireNames.Task, NameOf(type));
        }

        json.Text(WireNames.WorkerUuid, status.Worker.Value);
        json.OptionalText(WireNames.TaskId, status.Id?.Value);
        if (status.Outcome == TaskOutcome.Running)
        {
            if (status.Progress is { } progress)
            {
                json.Number(WireNames.Progress, progress);
            }

            return;
        }

        json.OptionalValue(WireNames.Result, status.Result);
        json.OptionalText(WireNames.Error, status.Error);
        if (status.Outcome == TaskOutcome.Ok)
        {
            json.OptionalValue(WireNames.Then, status.Then);
            return;
        }

        json.OptionalFlag(WireNames.HandedBack, status.HandedBack);
        if (!status.MayRetry)
        {
            json.Name(WireNames.Retry);
            json.Raw("false"u8);
        }

        if (status.RetryAfter is { } delay)
        {
            json.Number(WireNames.RetryAfter, (decimal)delay.Ticks / TimeSpan.TicksPerSecond);
        }
    }

    private static void WriteAnswer(ref JsonTextWriter json, ServerId server, ReadOnlySpan<byte> name, ReadOnlySpan<byte> word)
    {
        json.FirstText(WireNames.ServerUuid, server.Value);
        json.Keyword(name, word);
    }

    private static void WriteEndpoint(ref JsonTextWriter json, ReadOnlySpan<byte> name, MeshEndpoint endpoint)
    {
        json.Name(name);
        json.FirstText(WireNames.Ip, endpoint.Host);
        json.Name(WireNames.Port);
        json.Number(endpoint.Port);
        json.Raw("}"u8);
    }

    private static void WriteLoad(ref JsonTextWriter json, ServerLoad? load)
    {
        if (load is { } value)
        {
            json.Name(WireNames.Load);
            json.Raw("{\""u8);
            json.NameAfterQuote(WireNames.Queue);
            json.Number(value.Queue);
            json.Name(WireNames.Idle);
            json.Number(value.Idle);
            json.Raw("}"u8);
        }
    }

    private static void WriteFraming(ref JsonTextWriter json, Framing? framing)
    {
        if (framing is { } value)
        {
            json.Keyword(WireNames.Framing, KeywordOf(value));
        }
    }

    private static void WriteTasks(ref JsonTextWriter json, TaskTypeSet? tasks)
    {
        if (tasks is null)
        {
            return;
        }

        json.Name(WireNames.Tasks);
        json.Raw("["u8);
        var first = true;
        foreach (var type in tasks.AsSpan())
        {
            json.Raw(first ? default : ", "u8);
            json.Text(NameOf(type));
            first = false;
        }

        json.Raw("]"u8);
    }

    private static void WriteWorkers(ref JsonTextWriter json, WorkerList workers)
    {
        json.Name(WireNames.WorkersUuid);
        json.Raw("["u8);
        var first = true;
        foreach (var worker in workers.AsSpan())
        {
            json.Raw(first ? default : ", "u8);
            json.Text(worker.Value);
            first = false;
        }

        json.Raw("]"u8);
    }

    private static string NameOf(TaskType type) => type.Name ?? throw new ArgumentOutOfRangeException(nameof(type), type, "No task type");

    private static ReadOnlySpan<byte> KeywordOf(TaskOutcome outcome) => outcome switch
    {
        TaskOutcome.Ok => WireNames.Ok,
        TaskOutcome.Nok => WireNames.Nok,
        TaskOutcome.Running => WireNames.Running,
        _ => throw new ArgumentOutOfRangeException(nameof(outcome), outcome, "No outcome"),
    };

    private static ReadOnlySpan<byte> KeywordOf(Framing framing) => framing switch
    {
        Framing.Line => WireNames.Line,
        Framing.WebSocket => WireNames.WebSocket,
        _ => throw new ArgumentOutOfRangeException(nameof(framing), framing, "No framing"),
    };
}
