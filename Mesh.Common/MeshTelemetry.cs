using System.Diagnostics;

namespace Mesh.Common;

/// <summary>
/// The name of the activity source and the meter, "Mesh", and the names of spans and tags. The names of metrics are in the class that records them. The spans of tasks follow
/// OpenTelemetry's conventions for messaging (https://opentelemetry.io/docs/specs/semconv/messaging/), with the task type as the destination; see <see cref="TaskOperation"/>.
/// </summary>
public static class MeshTelemetry
{
    public const string Name = "Mesh";

    public static readonly ActivitySource Source = new(Name);

    // A W3C traceparent begins with two digits for the version, a dash and 32 digits for the trace id.
    private const int TraceStart = 3;
    private const int TraceLength = 32;

    /// <summary>The names of the spans of a loan. The server or worker that records the span precedes each description.</summary>
    public static class LoanSteps
    {
        /// <summary>Borrower: from the WORKER_REQUEST to its reply.</summary>
        public const string Request = "request workers";

        /// <summary>Owner: from the offer to the REDIRECT.</summary>
        public const string Lend = "lend worker";

        /// <summary>Worker: from the REDIRECT to its first get_task at the borrower.</summary>
        public const string Join = "join borrower";

        /// <summary>Borrower: from AVAILABLE to the worker's arrival.</summary>
        public const string Arrive = "worker arrives";

        /// <summary>Borrower: the first task of the worker. The span is linked to the trace of that task.</summary>
        public const string FirstTask = "first task";

        /// <summary>Borrower: from the COMMAND_RELEASE to its reply. The span is the root of the return's trace and is linked to the loan.</summary>
        public const string Release = "release workers";

        /// <summary>Worker: from the RETURN to its first get_task at home.</summary>
        public const string GoHome = "go home";

        /// <summary>Owner: from the RELEASE_ACK to the worker's arrival at home.</summary>
        public const string ComeHome = "worker comes home";

        /// <summary>Borrower: from the RETURN to the owner's confirmation that the worker is at home.</summary>
        public const string Complete = "loan completed";
    }

    public static class Tags
    {
        public const string System = "messaging.system";
        public const string SystemValue = "mesh";
        public const string Destination = "messaging.destination.name";
        public const string OperationName = "messaging.operation.name";
        public const string OperationType = "messaging.operation.type";

        /// <summary>The predecessor of the operation name and type in the conventions. Aspire's dashboard identifies messaging spans by it.</summary>
        public const string Operation = "messaging.operation";

        public const string MessageId = "messaging.message.id";
        public const string Server = "mesh.server.id";
        public const string Peer = "mesh.peer.id";
        public const string Worker = "mesh.worker.id";
        public const string Workers = "mesh.worker.count";
        public const string Attempt = "mesh.task.attempt";
        public const string State = "mesh.task.state";
        public const string Reason = "mesh.loan.end";

        /// <summary>The task types of a WORKER_REQUEST.</summary>
        public const string TaskTypes = "mesh.task.types";
    }

    /// <summary>Parses a TRACEPARENT. Returns the default value when it is null or invalid.</summary>
    public static ActivityContext Context(string? traceParent) =>
        traceParent is not null && ActivityContext.TryParse(traceParent, null, isRemote: true, out var context) ? context : default;

    /// <summary>Returns the trace id of a TRACEPARENT, or null when it is null or too short.</summary>
    public static string? TraceId(string? traceParent) =>
        traceParent is { Length: >= TraceStart + TraceLength } ? traceParent.Substring(TraceStart, TraceLength) : null;

    /// <summary>Returns whether two TRACEPARENTs have the same trace id.</summary>
    public static bool IsSameTrace(string? one, string? other) =>
        one is { Length: >= TraceStart + TraceLength } && other is { Length: >= TraceStart + TraceLength }
        && one.AsSpan(TraceStart, TraceLength).SequenceEqual(other.AsSpan(TraceStart, TraceLength));

    /// <summary>Starts an activity that assigns log entries to a trace until it is disposed. It is not exported. Returns null without a listener or a valid TRACEPARENT.</summary>
    public static Activity? Enter(string? traceParent) =>
        Source.HasListeners() && Context(traceParent) != default ? new Activity("log").SetParentId(traceParent!).Start() : null;
}
