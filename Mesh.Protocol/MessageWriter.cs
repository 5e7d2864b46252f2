using System.Buffers;

namespace Mesh.Protocol;

/// <summary>Writes messages in the very form of the seed's examples, our optional fields after the seed's. Allocates nothing.</summary>
public static class MessageWriter
{
    /// <summary>Writes one message, without its framing. It has no line break inside.</summary>
    public static void Write(IBufferWriter<byte> output, MeshMessage message)
    {
        ArgumentNullException.ThrowIfNull(output);
        ArgumentNullException.ThrowIfNull(message);
        var json = new JsonText(output);
        switch (message)
        {
            case NewTask m:
                json.FirstWord(WireNames.Task, WordOf(m.Type));
                json.Text(WireNames.User, m.User);
                if (m.Amount is { } amount)
                {
                    json.Number(WireNames.Amount, amount);
                }

                json.OptionalText(WireNames.TaskId, m.Id?.Value);
                break;
            case GetTask m:
                json.FirstWord(WireNames.Worker, WireNames.Alive);
                json.Text(WireNames.WorkerUuid, m.Worker.Value);
                json.OptionalText(WireNames.ServerUuid, m.Home?.Value);
                WriteTasks(ref json, m.Tasks);
                break;
            case TaskStatus m:
                json.FirstWord(WireNames.Status, WordOf(m.Outcome));
                if (m.Type is { } type)
                {
                    json.Word(WireNames.Task, WordOf(type));
                }

                json.Text(WireNames.WorkerUuid, m.Worker.Value);
                json.OptionalText(WireNames.TaskId, m.Id?.Value);
                if (m.Result is { } result)
                {
                    json.Number(WireNames.Result, result);
                }

                json.OptionalText(WireNames.Error, m.Error);
                json.OptionalFlag(WireNames.HandedBack, m.HandedBack);
                break;
            case Ack m:
                json.FirstWord(WireNames.Status, WireNames.Ack);
                json.OptionalText(WireNames.WorkerUuid, m.Worker?.Value);
                json.OptionalText(WireNames.TaskId, m.Id?.Value);
                break;
            case NoTask:
                json.FirstWord(WireNames.Task, WireNames.NoTask);
                break;
            case Redirect m:
                json.FirstWord(WireNames.Task, WireNames.Redirect);
                WriteEndpoint(ref json, WireNames.ServerRedirect, m.Target);
                WriteFraming(ref json, m.Framing);
                break;
            case Return m:
                json.FirstWord(WireNames.Task, WireNames.Return);
                WriteEndpoint(ref json, WireNames.ServerReturn, m.Target);
                WriteFraming(ref json, m.Framing);
                break;
            case Heartbeat m:
                json.FirstText(WireNames.ServerUuid, m.Server.Value);
                json.Word(WireNames.Task, WireNames.Heartbeat);
                WriteLoad(ref json, m.Load);
                break;
            case HeartbeatResponse m:
                json.FirstText(WireNames.ServerUuid, m.Server.Value);
                json.Word(WireNames.Task, WireNames.Heartbeat);
                json.Word(WireNames.Response, WireNames.Alive);
                WriteLoad(ref json, m.Load);
                break;
            case WorkerRequest m:
                json.FirstWord(WireNames.Task, WireNames.WorkerRequest);
                WriteEndpoint(ref json, WireNames.RequestorInfo, m.Requestor);
                if (m.WorkersNeeded is { } needed)
                {
                    json.Name(WireNames.WorkersNeeded);
                    json.Number(needed);
                }

                json.OptionalText(WireNames.ServerUuid, m.Server?.Value);
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
                json.FirstWord(WireNames.Status, WireNames.Nok);
                json.Text(WireNames.Error, m.Error);
                break;
            default:
                throw new InvalidOperationException($"{message.GetType().Name} has no form on the wire");
        }

        json.OptionalText(WireNames.TraceParent, message.TraceParent);
        json.Raw("}"u8);
        json.Commit();
    }

    private static void WriteAnswer(ref JsonText json, ServerId server, ReadOnlySpan<byte> name, ReadOnlySpan<byte> word)
    {
        json.FirstText(WireNames.ServerUuid, server.Value);
        json.Word(name, word);
    }

    private static void WriteEndpoint(ref JsonText json, ReadOnlySpan<byte> name, MeshEndpoint endpoint)
    {
        json.Name(name);
        json.FirstText(WireNames.Ip, endpoint.Host);
        json.Name(WireNames.Port);
        json.Number(endpoint.Port);
        json.Raw("}"u8);
    }

    private static void WriteLoad(ref JsonText json, ServerLoad? load)
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

    private static void WriteFraming(ref JsonText json, Framing? framing)
    {
        if (framing is { } value)
        {
            json.Word(WireNames.Framing, WordOf(value));
        }
    }

    private static void WriteTasks(ref JsonText json, TaskTypes? tasks)
    {
        if (tasks is { } types)
        {
            json.Name(WireNames.Tasks);
            json.Raw("["u8);
            if ((types & TaskTypes.Query) != 0)
            {
                json.Quoted(WireNames.Query);
            }

            if ((types & TaskTypes.Update) != 0)
            {
                json.Raw((types & TaskTypes.Query) != 0 ? ", "u8 : default);
                json.Quoted(WireNames.Update);
            }

            json.Raw("]"u8);
        }
    }

    private static void WriteWorkers(ref JsonText json, WorkerList workers)
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

    private static ReadOnlySpan<byte> WordOf(TaskType type) => type switch
    {
        TaskType.Query => WireNames.Query,
        TaskType.Update => WireNames.Update,
        _ => throw new ArgumentOutOfRangeException(nameof(type), type, "No task type"),
    };

    private static ReadOnlySpan<byte> WordOf(TaskOutcome outcome) => outcome switch
    {
        TaskOutcome.Ok => WireNames.Ok,
        TaskOutcome.Nok => WireNames.Nok,
        _ => throw new ArgumentOutOfRangeException(nameof(outcome), outcome, "No outcome"),
    };

    private static ReadOnlySpan<byte> WordOf(Framing framing) => framing switch
    {
        Framing.Line => WireNames.Line,
        Framing.WebSocket => WireNames.WebSocket,
        _ => throw new ArgumentOutOfRangeException(nameof(framing), framing, "No framing"),
    };
}
