using System.Diagnostics.CodeAnalysis;

namespace Mesh.Protocol;

/// <summary>Determines the message type of a set of fields by STATUS, RESPONSE, WORKER and TASK, in this order.</summary>
internal static class MessageParser
{
    public static bool TryMatch(in MessageFields fields, [NotNullWhen(true)] out MeshMessage? message, ref ProtocolError error)
    {
        message = null;
        if (fields.ValidateOptional(Field.TraceParent, ref error))
        {
            message = fields switch
            {
                _ when fields.IsPresent(Field.Status) => ByStatus(in fields, ref error),
                _ when fields.IsPresent(Field.Response) => ByResponse(in fields, ref error),
                _ when fields.IsPresent(Field.Worker) => ByWorker(in fields, ref error),
                _ when fields.IsPresent(Field.Task) => ByTask(in fields, ref error),
                _ => Unknown(ref error),
            };
        }

        return message is not null;
    }

    private static MeshMessage? ByStatus(in MessageFields fields, ref ProtocolError error)
    {
        if (!fields.ValidateRequired(Field.Status, ref error))
        {
            return null;
        }

        var names = fields.IsPresent(Field.Task) || fields.IsPresent(Field.WorkerUuid);
        return fields.Status switch
        {
            Keyword.Ack => WorkerMessageParser.Ack(in fields, ref error),
            Keyword.Nok when !names && fields.IsPresent(Field.Error) => WorkerMessageParser.Rejection(in fields, ref error),
            Keyword.Ok => WorkerMessageParser.TaskStatus(in fields, TaskOutcome.Ok, ref error),
            Keyword.Nok => WorkerMessageParser.TaskStatus(in fields, TaskOutcome.Nok, ref error),
            Keyword.Running => WorkerMessageParser.TaskStatus(in fields, TaskOutcome.Running, ref error),
            _ => UnknownKeyword(Field.Status, ref error),
        };
    }

    private static MeshMessage? ByResponse(in MessageFields fields, ref ProtocolError error)
    {
        if (!fields.ValidateRequired(Field.Response, ref error))
        {
            return null;
        }

        return fields.Response switch
        {
            Keyword.Alive => ServerMessageParser.HeartbeatResponse(in fields, ref error),
            Keyword.Available => ServerMessageParser.Available(in fields, ref error),
            Keyword.Unavailable => ServerMessageParser.Unavailable(in fields, ref error),
            Keyword.ReleaseAck => ServerMessageParser.ReleaseAck(in fields, ref error),
            Keyword.ReleaseCompleted => ServerMessageParser.ReleaseCompleted(in fields, ref error),
            _ => UnknownKeyword(Field.Response, ref error),
        };
    }

    private static MeshMessage? ByWorker(in MessageFields fields, ref ProtocolError error)
    {
        if (!fields.ValidateRequired(Field.Worker, ref error))
        {
            return null;
        }

        return fields.Worker == Keyword.Alive ? WorkerMessageParser.GetTask(in fields, ref error) : UnknownKeyword(Field.Worker, ref error);
    }

    private static MeshMessage? ByTask(in MessageFields fields, ref ProtocolError error)
    {
        if (!fields.ValidateRequired(Field.Task, ref error))
        {
            return null;
        }

        return fields.Task switch
        {
            Keyword.Query => WorkerMessageParser.Query(in fields, ref error),
            Keyword.Update => WorkerMessageParser.Update(in fields, ref error),
            Keyword.NoTask => WorkerMessageParser.NoTask(in fields),
            Keyword.Redirect => WorkerMessageParser.Redirect(in fields, ref error),
            Keyword.Return => WorkerMessageParser.Return(in fields, ref error),
            Keyword.Heartbeat => ServerMessageParser.Heartbeat(in fields, ref error),
            Keyword.WorkerRequest => ServerMessageParser.WorkerRequest(in fields, ref error),
            Keyword.CommandRelease => ServerMessageParser.CommandRelease(in fields, ref error),
            _ => WorkerMessageParser.OtherTask(in fields, ref error),
        };
    }

    private static MeshMessage? UnknownKeyword(Field field, ref ProtocolError error)
    {
        error = new FieldState(FieldFault.UnknownKeyword).ToError(field);
        return null;
    }

    private static MeshMessage? Unknown(ref ProtocolError error)
    {
        error = new(ProtocolErrorKind.UnknownShape, ProtocolError.WholeMessage, "has none of STATUS, RESPONSE, WORKER and TASK");
        return null;
    }
}
