using System.Diagnostics;
using System.Text.Json.Serialization;
using Mesh.Protocol;
using Mesh.Server.Core;
using Mesh.Server.Core.Loans;

namespace Mesh.Server.Api;

// These records are the contract of GET /status. Their doc comments are the descriptions in the OpenAPI document, so they are apart from the core's records.

/// <summary>A snapshot of the server.</summary>
internal sealed record StatusResponse(
    string Id,
    string Advertise,
    int Queue,
    int Running,
    int Scheduled,
    long Done,
    long Dead,
    bool Paused,
    IReadOnlyList<TypeResponse> Types,
    IReadOnlyList<WorkerResponse> Workers,
    IReadOnlyList<PeerResponse> Peers,
    IReadOnlyList<LoanResponse> Loans,
    IReadOnlyList<AdoptionResponse> Adopted)
{
    public static StatusResponse Of(ServerStatus status) => new(
        status.Id.Value,
        status.Advertise.ToString(),
        status.Queue,
        status.Running,
        status.Scheduled,
        status.Done,
        status.Dead,
        status.Paused,
        [.. status.Types.Select(type => new TypeResponse(type.Type.Name, type.Queue, type.Running))],
        [.. status.Workers.Select(WorkerResponse.Of)],
        [.. status.Peers.Select(PeerResponse.Of)],
        [.. status.Loans.Select(loan => LoanResponse.Of(loan, status.Id))],
        [.. status.Adopted.Select(adoption => new AdoptionResponse(adoption.Server.Value, adoption.Since, adoption.Tasks, adoption.Done))]);
}

/// <summary>A task type with queued or running tasks. The list has the 50 types with the most queued tasks.</summary>
internal sealed record TypeResponse(string Type, int Queue, int Running);

/// <summary>A dead server whose tasks this server has adopted.</summary>
/// <param name="Tasks">The number of its unsettled tasks.</param>
/// <param name="Done">The number of its tasks that were done by this server's workers.</param>
internal sealed record AdoptionResponse(string Server, DateTimeOffset Since, int Tasks, long Done);

/// <param name="Strikes">The number of tasks since its last success at which it failed and another worker succeeded. Omitted when it is 0.</param>
/// <param name="PausedUntil">The worker gets no task before this time. Omitted for a worker without strikes.</param>
/// <param name="NotLentUntil">The worker is not lent before this time, because it did not follow REDIRECT. Omitted for a worker that has not ignored one.</param>
internal sealed record WorkerResponse(
    string Id,
    string Home,
    string State,
    string? Transport,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)] int Strikes = 0,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] DateTimeOffset? PausedUntil = null,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] DateTimeOffset? NotLentUntil = null)
{
    public static WorkerResponse Of(WorkerStatus worker) => new(
        worker.Id.Value, worker.Home.Value, NameOf(worker.State), NameOf(worker.Transport), worker.Strikes, worker.PausedUntil, worker.NotLentUntil);

    private static string NameOf(WorkerState state) => state switch
    {
        WorkerState.Idle => "idle",
        WorkerState.Busy => "busy",
        WorkerState.Lent => "lent",
        WorkerState.Leaving => "leaving",
        WorkerState.Gone => "gone",
        WorkerState.SetAside => "setAside",
        _ => throw new InvalidOperationException($"Unknown state {state}."),
    };

    private static string? NameOf(Framing? transport) => transport switch
    {
        null => null,
        Framing.WebSocket => "websocket",
        Framing.Line => "line",
        _ => throw new InvalidOperationException($"Unknown framing {transport}."),
    };
}

internal sealed record PeerResponse(string Id, string Endpoint, bool Alive, DateTimeOffset? LastSeen, LoadResponse? Load)
{
    public static PeerResponse Of(PeerStatus peer) => new(
        peer.Id.Value,
        peer.Endpoint.ToString(),
        peer.Alive,
        peer.LastSeen,
        peer.Load is { } load ? new LoadResponse(load.Queue, load.Idle) : null);
}

/// <param name="Queue">The number of waiting tasks.</param>
/// <param name="Idle">The number of workers at home without a task.</param>
internal sealed record LoadResponse(int Queue, int Idle);

/// <param name="TraceId">The id of the loan's trace, 32 hex digits, or null.</param>
internal sealed record LoanResponse(string Worker, string Owner, string Borrower, string State, DateTimeOffset Since, string? TraceId)
{
    public static LoanResponse Of(LoanRecord loan, ServerId self)
    {
        var (owner, borrower) = loan.Role switch
        {
            LoanRole.Owner => (self, loan.Peer),
            LoanRole.Borrower => (loan.Peer, self),
            _ => throw new InvalidOperationException($"Unknown role {loan.Role}."),
        };
        return new(loan.Worker.Value, owner.Value, borrower.Value, NameOf(loan.State), loan.Since, TraceIdOf(loan.TraceParent));
    }

    private static string? TraceIdOf(string? traceParent) =>
        ActivityContext.TryParse(traceParent, traceState: null, out var context) ? context.TraceId.ToHexString() : null;

    private static string NameOf(LoanState state) => state switch
    {
        LoanState.Offered => "offered",
        LoanState.Lent => "lent",
        LoanState.Released => "released",
        LoanState.Expected => "expected",
        LoanState.Arrived => "arrived",
        LoanState.Releasing => "releasing",
        LoanState.Returning => "returning",
        LoanState.Returned => "returned",
        _ => throw new InvalidOperationException($"Unknown state {state}."),
    };
}
