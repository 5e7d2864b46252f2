using System.Diagnostics;
using Mesh.Protocol;
using Mesh.Server.Core;
using Mesh.Server.Core.Loans;
using static Mesh.Common.MeshTelemetry;

namespace Mesh.Server.Telemetry;

/// <summary>
/// Creates the server's spans of a loan's two traces. The loan's trace: request (borrower) → lend (owner) → join (worker) → arrive, first task (borrower). The
/// return's trace, which is linked to the loan's: release (borrower) → go home (worker) → come home (owner) → complete (borrower).
/// </summary>
internal static class LoanSpans
{
    /// <summary>Starts the root span of a trace, for a request to a peer. The caller ends it when the reply arrives.</summary>
    /// <returns>The span, or null when the message is not traced.</returns>
    public static Activity? StartRequest(PeerSendEffect send, ServerId self)
    {
        if (!Source.HasListeners())
        {
            return null;
        }

        var activity = send.Message switch
        {
            WorkerRequest request => Start(LoanSteps.Request, default)?.SetTag(Tags.Workers, request.WorkersNeeded).SetTag(Tags.TaskTypes, request.Tasks?.ToString()),
            CommandRelease release => Start(LoanSteps.Release, default, links: send.Links)?.SetTag(Tags.Workers, release.Workers.Count),
            _ => null,
        };
        activity?.SetTag(Tags.Server, self.Value);
        activity?.SetTag(Tags.Peer, send.Peer.Value);
        return activity;

        static Activity? Start(string name, ActivityContext parent, IReadOnlyList<string>? links = null) => Source.StartActivity(
            name, ActivityKind.Client, parent, links: links?.Select(link => Context(link)).Where(link => link != default).Select(link => new ActivityLink(link)));
    }

    /// <summary>
    /// Starts the trace of a peer's request that carries no trace context, as from servers that do not support it, so that this server's spans have a root.
    /// </summary>
    /// <returns>The message with a trace context.</returns>
    public static MeshMessage Receive(MeshMessage message)
    {
        if (message.TraceParent is not null || !Source.HasListeners())
        {
            return message;
        }

        using var activity = message switch
        {
            WorkerRequest request => Start(LoanSteps.Request, request.WorkersNeeded, request.Server),
            CommandRelease release => Start(LoanSteps.Release, release.Workers.Count, release.Server),
            _ => null,
        };
        return activity is null ? message : message with { TraceParent = activity.Id };

        static Activity? Start(string name, int? workers, ServerId? peer) =>
            Source.StartActivity(name, ActivityKind.Server)?.SetTag(Tags.Workers, workers).SetTag(Tags.Peer, peer?.Value);
    }

    /// <summary>Records the span of a loan's state change. States without a span record nothing.</summary>
    public static void Record(LoanStateChanged step)
    {
        var loan = step.Loan;
        switch (loan.State)
        {
            case LoanState.Lent:
                Record(LoanSteps.Lend, loan, step.Since, loan.Since, loan.TraceParent);
                break;
            case LoanState.Arrived:
                Record(LoanSteps.Arrive, loan, step.Since, loan.Since, step.TraceParent ?? loan.TraceParent);
                break;
            case LoanState.Offered or LoanState.Released or LoanState.Expected or LoanState.Releasing or LoanState.Returning or LoanState.Returned:
                break;
            default:
                throw new InvalidOperationException($"Unknown loan state {loan.State}.");
        }
    }

    /// <summary>Records the span of a loan's end. Only loans that end by a return have one.</summary>
    public static void Record(LoanEnded end)
    {
        switch (end.Loan.State)
        {
            case LoanState.Released:
                Record(LoanSteps.ComeHome, end.Loan, end.Loan.Since, end.At, end.TraceParent ?? end.Loan.ReturnTraceParent, end.Reason);
                break;
            case LoanState.Returned:
                Record(LoanSteps.Complete, end.Loan, end.Loan.Since, end.At, end.TraceParent ?? end.Loan.ReturnTraceParent, end.Reason);
                break;
            case LoanState.Offered or LoanState.Lent or LoanState.Expected or LoanState.Arrived or LoanState.Releasing or LoanState.Returning:
                break;
            default:
                throw new InvalidOperationException($"Unknown loan state {end.Loan.State}.");
        }
    }

    /// <summary>Records the span of a borrowed worker's first task, with a link to the task's trace.</summary>
    public static void RecordFirstTask(LoanRecord loan, string? task)
    {
        if (!Source.HasListeners() || Context(loan.TraceParent) is var parent && parent == default)
        {
            return;
        }

        using var activity = Source.StartActivity(
            LoanSteps.FirstTask, ActivityKind.Producer, parent, links: Context(task) is var link && link != default ? [new ActivityLink(link)] : null);
        activity?.SetTag(Tags.Worker, loan.Worker.Value);
    }

    private static void Record(string name, LoanRecord loan, DateTimeOffset start, DateTimeOffset end, string? parent, string? reason = null)
    {
        if (!Source.HasListeners() || Context(parent) is var context && context == default)
        {
            return;
        }

        using var activity = Source.StartActivity(name, ActivityKind.Internal, context, startTime: start);
        activity?.SetTag(Tags.Worker, loan.Worker.Value);
        activity?.SetTag(Tags.Peer, loan.Peer.Value);
        activity?.SetTag(Tags.Reason, reason);
        activity?.SetEndTime(end.UtcDateTime);
    }
}
