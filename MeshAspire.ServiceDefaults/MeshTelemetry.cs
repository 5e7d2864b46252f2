using System.Diagnostics;

namespace Mesh.Telemetry;

/// <summary>
/// The names of all that the mesh tells of itself: one activity source and one meter, both "Mesh". Tasks follow OpenTelemetry's conventions for messaging
/// (https://opentelemetry.io/docs/specs/semconv/messaging/); a type of task is a destination.
/// </summary>
public static class MeshTelemetry
{
    public const string Name = "Mesh";

    public static readonly ActivitySource Source = new(Name);

    /// <summary>Operations on a task; a span's name is the operation and the type, "dispatch QUERY".</summary>
    public static class Operations
    {
        public const string Submit = "submit";
        public const string Queue = "queue";
        public const string Dispatch = "dispatch";
        public const string Process = "process";
        public const string Settle = "settle";
    }

    /// <summary>Steps of a loan, each a span's name.</summary>
    public static class LoanSteps
    {
        /// <summary>Borrower: WORKER_REQUEST until its reply.</summary>
        public const string Request = "request workers";

        /// <summary>Owner: from the offer to the REDIRECT.</summary>
        public const string Lend = "lend worker";

        /// <summary>Worker: from the REDIRECT until it presents itself.</summary>
        public const string Join = "join borrower";

        /// <summary>Borrower: from AVAILABLE to the worker's arrival.</summary>
        public const string Arrive = "worker arrives";

        /// <summary>Borrower: the first task that the worker gets; linked to that task's trace.</summary>
        public const string FirstTask = "first task";

        /// <summary>Borrower: COMMAND_RELEASE until its reply; the root of the return, linked to the loan.</summary>
        public const string Release = "release workers";

        /// <summary>Worker: from the RETURN until it presents itself at home.</summary>
        public const string GoHome = "go home";

        /// <summary>Owner: from the RELEASE_ACK until the worker is home.</summary>
        public const string ComeHome = "worker comes home";

        /// <summary>Borrower: from the RETURN until the owner confirms that the worker is home.</summary>
        public const string Complete = "loan completed";
    }

    public static class Tags
    {
        public const string System = "messaging.system";
        public const string SystemValue = "mesh";
        public const string Destination = "messaging.destination.name";
        public const string OperationName = "messaging.operation.name";
        public const string OperationType = "messaging.operation.type";
        public const string MessageId = "messaging.message.id";
        public const string Server = "mesh.server.id";
        public const string Peer = "mesh.peer.id";
        public const string Worker = "mesh.worker.id";
        public const string Workers = "mesh.worker.count";
        public const string Attempt = "mesh.task.attempt";
        public const string State = "mesh.task.state";
        public const string Reason = "mesh.loan.end";
    }

    /// <summary>Reads a TRACEPARENT; default when there is none or it is none.</summary>
    public static ActivityContext Context(string? traceParent) =>
        traceParent is not null && ActivityContext.TryParse(traceParent, null, isRemote: true, out var context) ? context : default;

    /// <summary>Starts a span of a task's life.</summary>
    public static Activity? StartTask(string operation, ActivityKind kind, string type, string? id, ActivityContext parent, DateTimeOffset start = default, IEnumerable<ActivityLink>? links = null)
    {
        if (!Source.HasListeners() || Source.StartActivity($"{operation} {type}", kind, parent, tags: null, links, start) is not { } activity)
        {
            return null;
        }

        activity.SetTag(Tags.System, Tags.SystemValue);
        activity.SetTag(Tags.Destination, type);
        activity.SetTag(Tags.OperationName, operation);
        activity.SetTag(Tags.OperationType, operation switch
        {
            Operations.Submit => "send",
            Operations.Queue or Operations.Dispatch => "receive",
            _ => operation,
        });
        activity.SetTag(Tags.MessageId, id);
        return activity;
    }
}
