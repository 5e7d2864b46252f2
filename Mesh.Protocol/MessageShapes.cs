using System.Diagnostics.CodeAnalysis;

namespace Mesh.Protocol;

/// <summary>Finds the message that a set of fields is: STATUS, RESPONSE, WORKER or TASK, in this order, decides on the shape.</summary>
internal static class MessageShapes
{
    public static bool TryMatch(in MessageFields fields, [NotNullWhen(true)] out MeshMessage? message, ref ProtocolError error)
    {
        message = null;
        if (fields.MayHave(Field.TraceParent, ref error))
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
        if (!fields.Has(Field.Status, ref error))
        {
            return null;
        }

        var names = fields.IsPresent(Field.Task) || fields.IsPresent(Field.WorkerUuid);
        return fields.Status switch
        {
            Word.Ack => WorkerShapes.Ack(in fields, ref error),
            Word.Nok when !names && fields.IsPresent(Field.Error) => WorkerShapes.Rejection(in fields, ref error),
            Word.Ok => WorkerShapes.TaskStatus(in fields, TaskOutcome.Ok, ref error),
            Word.Nok => WorkerShapes.TaskStatus(in fields, TaskOutcome.Nok, ref error),
            _ => UnknownWord(Field.Status, ref error),
        };
    }

    private static MeshMessage? ByResponse(in MessageFields fields, ref ProtocolError error)
    {
        if (!fields.Has(Field.Response, ref error))
        {
            return null;
        }

        return fields.Response switch
        {
            Word.Alive => ServerShapes.HeartbeatResponse(in fields, ref error),
            Word.Available => ServerShapes.Available(in fields, ref error),
            Word.Unavailable => ServerShapes.Unavailable(in fields, ref error),
            Word.ReleaseAck => ServerShapes.ReleaseAck(in fields, ref error),
            Word.ReleaseCompleted => ServerShapes.ReleaseCompleted(in fields, ref error),
            _ => UnknownWord(Field.Response, ref error),
        };
    }

    private static MeshMessage? ByWorker(in MessageFields fields, ref ProtocolError error)
    {
        if (!fields.Has(Field.Worker, ref error))
        {
            return null;
        }

        return fields.Worker == Word.Alive ? WorkerShapes.GetTask(in fields, ref error) : UnknownWord(Field.Worker, ref error);
    }

    private static MeshMessage? ByTask(in MessageFields fields, ref ProtocolError error)
    {
        if (!fields.Has(Field.Task, ref error))
        {
            return null;
        }

        return fields.Task switch
        {
            Word.Query => WorkerShapes.Query(in fields, ref error),
            Word.Update => WorkerShapes.Update(in fields, ref error),
            Word.NoTask => WorkerShapes.NoTask(in fields),
            Word.Redirect => WorkerShapes.Redirect(in fields, ref error),
            Word.Return => WorkerShapes.Return(in fields, ref error),
            Word.Heartbeat => ServerShapes.Heartbeat(in fields, ref error),
            Word.WorkerRequest => ServerShapes.WorkerRequest(in fields, ref error),
            Word.CommandRelease => ServerShapes.CommandRelease(in fields, ref error),
            _ => UnknownWord(Field.Task, ref error),
        };
    }

    private static MeshMessage? UnknownWord(Field field, ref ProtocolError error)
    {
        error = new FieldState(Fault.UnknownWord).ToError(field);
        return null;
    }

    private static MeshMessage? Unknown(ref ProtocolError error)
    {
        error = new(ProtocolErrorKind.UnknownShape, ProtocolError.WholeMessage, "has none of STATUS, RESPONSE, WORKER and TASK");
        return null;
    }
}
