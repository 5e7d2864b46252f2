using System.Buffers;

namespace Mesh.Protocol;

/// <summary>Writes messages in the exact format of the seed's examples, with our optional fields after those of the seed. Allocates nothing.</summary>
public static class MessageWriter
{
    /// <summary>Writes one message without its framing. The output contains no line break.</summary>
    public static void Write(IBufferWriter<byte> output, MeshMessage message)
    {
        ArgumentNullException.ThrowIfNull(output);
        ArgumentNullException.ThrowIfNull(message);
        var json = new JsonTextWriter(output);
        switch (message)
        {
            case NewTask m:
                json.FirstKeyword(WireNames.Task, KeywordOf(m.Type));
                json.Text(WireNames.User, m.User);
                if (m.Amount is { } amount)
                {
                    json.Number(WireNames.Amount, amount);
                }

                json.OptionalText(WireNames.TaskId, m.Id?.Value);
                break;
            case GetTask m:
                json.FirstKeyword(WireNames.Worker, WireNames.Alive);
                json.Text(WireNames.WorkerUuid, m.Worker.Value);
                json.OptionalText(WireNames.ServerUuid, m.Home?.Value);
                WriteTasks(ref json, m.Tasks);
                break;
            case TaskStatus m:
                json.FirstKeyword(WireNames.Status, KeywordOf(m.Outcome));
                if (m.Type is { } type)
                {
                    json.Keyword(WireNames.Task, KeywordOf(type));
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
                json.FirstKeyword(WireNames.Status, WireNames.Ack);
                json.OptionalText(WireNames.WorkerUuid, m.Worker?.Value);
                json.OptionalText(WireNames.TaskId, m.Id?.Value);
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
        json.Commit();
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

    private static void WriteTasks(ref JsonTextWriter json, TaskTypes? tasks)
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

    private static ReadOnlySpan<byte> KeywordOf(TaskType type) => type switch
    {
        TaskType.Query => WireNames.Query,
        TaskType.Update => WireNames.Update,
        _ => throw new ArgumentOutOfRangeException(nameof(type), type, "No task type"),
    };

    private static ReadOnlySpan<byte> KeywordOf(TaskOutcome outcome) => outcome switch
    {
        TaskOutcome.Ok => WireNames.Ok,
        TaskOutcome.Nok => WireNames.Nok,
        _ => throw new ArgumentOutOfRangeException(nameof(outcome), outcome, "No outcome"),
    };

    private static ReadOnlySpan<byte> KeywordOf(Framing framing) => framing switch
    {
        Framing.Line => WireNames.Line,
        Framing.WebSocket => WireNames.WebSocket,
        _ => throw new ArgumentOutOfRangeException(nameof(framing), framing, "No framing"),
    };
}
