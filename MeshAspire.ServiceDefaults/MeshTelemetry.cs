using System.Diagnostics;

namespace Mesh.Telemetry;

/// <summary>
/// One activity source and one meter, both "Mesh", and the names of the spans. Those of metrics are where they are counted. Tasks follow OpenTelemetry's conventions for messaging
/// (https://opentelemetry.io/docs/specs/semconv/messaging/); a type of task is a destination. Their operations are in <see cref="TaskOperation"/>.
/// </summary>
public static class MeshTelemetry
{
    public const string Name = "Mesh";

    public static readonly ActivitySource Source = new(Name);

    // A W3C traceparent: two digits of version, a dash, 32 of the trace.
    private const int TraceStart = 3;
    private const int TraceLength = 32;

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

        /// <summary>What the conventions had before the name and the type. Aspire's dashboard shows a span of messaging by it.</summary>
        public const string Operation = "messaging.operation";

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

    /// <summary>The trace's id in a TRACEPARENT; null when there is none.</summary>
    public static string? TraceId(string? traceParent) =>
        traceParent is { Length: >= TraceStart + TraceLength } ? traceParent.Substring(TraceStart, TraceLength) : null;

    /// <summary>Whether two TRACEPARENTs name one trace.</summary>
    public static bool IsSameTrace(string? one, string? other) =>
        one is { Length: >= TraceStart + TraceLength } && other is { Length: >= TraceStart + TraceLength }
        && one.AsSpan(TraceStart, TraceLength).SequenceEqual(other.AsSpan(TraceStart, TraceLength));

    /// <summary>What is logged until this is disposed belongs to that trace.</summary>
    public static Activity? Enter(string? traceParent) =>
        Source.HasListeners() && Context(traceParent) != default ? new Activity("log").SetParentId(traceParent!).Start() : null;
}
