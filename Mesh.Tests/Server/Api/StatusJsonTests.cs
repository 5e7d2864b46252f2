using System.Text;
using System.Text.Json;
using Mesh.Protocol;
using Mesh.Server.Api;
using Mesh.Server.Core;
using Mesh.Server.Core.Loans;

namespace Mesh.Tests.Server.Api;

/// <summary>The JSON of GET /status and GET /events, byte for byte.</summary>
public sealed class StatusJsonTests
{
    private static readonly ServerId Self = new("server-a");
    private static readonly ServerId Peer = new("server-b");
    private static readonly DateTimeOffset Time = new(2026, 1, 2, 3, 4, 5, 678, TimeSpan.Zero);

    [Fact]
    public void Status_WithEachKindOfValue_IsWrittenByteForByte()
    {
        var status = new ServerStatus(
            Self,
            new MeshEndpoint("::1", 9001),
            Queue: 7,
            Running: 2,
            Done: 3_000_000_000,
            Dead: 1,
            Paused: true,
            [
                new WorkerStatus(new WorkerId("w1"), Self, WorkerState.Idle, Framing.WebSocket),
                new WorkerStatus(new WorkerId("w\"2"), Self, WorkerState.SetAside, Framing.Line, 5, Time),
                new WorkerStatus(new WorkerId("w3"), Peer, WorkerState.Lent, null, NotLentUntil: Time),
            ],
            [
                new PeerStatus(Peer, new MeshEndpoint("b.example", 9002), Alive: true, Time, new ServerLoad(4, 2)),
                new PeerStatus(new ServerId("server-c"), new MeshEndpoint("c", 9003), Alive: false, null, null),
            ],
            [
                new LoanRecord(new WorkerId("w3"), LoanRole.Borrower, Peer, LoanState.Arrived, Time, Time)
                {
                    TraceParent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
                },
                new LoanRecord(new WorkerId("w4"), LoanRole.Owner, Peer, LoanState.Lent, Time, Time),
            ],
            [new AdoptionStatus(new ServerId("server-d"), Time, 3, 4)])
        {
            Scheduled = 6,
            Types = [new TypeStatus(TaskType.Parse("RESIZE")!.Value, 5, 1)],
        };

        var json = Write(status);

        Assert.Equal(
            """
            {"id":"server-a","advertise":"[::1]:9001","queue":7,"running":2,"scheduled":6,"done":3000000000,"dead":1,"paused":true,"types":[{"type":"RESIZE","queue":5,"running":1}],
            "workers":[{"id":"w1","home":"server-a","state":"idle","transport":"websocket"},
            {"id":"w\u00222","home":"server-a","state":"setAside","transport":"line","strikes":5,"pausedUntil":"2026-01-02T03:04:05.678+00:00"},
            {"id":"w3","home":"server-b","state":"lent","transport":null,"notLentUntil":"2026-01-02T03:04:05.678+00:00"}],
            "peers":[{"id":"server-b","endpoint":"b.example:9002","alive":true,"lastSeen":"2026-01-02T03:04:05.678+00:00","load":{"queue":4,"idle":2}},
            {"id":"server-c","endpoint":"c:9003","alive":false,"lastSeen":null,"load":null}],
            "loans":[{"worker":"w3","owner":"server-b","borrower":"server-a","state":"arrived","since":"2026-01-02T03:04:05.678+00:00",
            "traceId":"0af7651916cd43dd8448eb211c80319c"},
            {"worker":"w4","owner":"server-a","borrower":"server-b","state":"lent","since":"2026-01-02T03:04:05.678+00:00","traceId":null}],
            "adopted":[{"server":"server-d","since":"2026-01-02T03:04:05.678+00:00","tasks":3,"done":4}]}
            """.ReplaceLineEndings(""),
            json);
    }

    [Fact]
    public void Worker_InEachState_HasTheDocumentedName()
    {
        var states = Enum.GetValues<WorkerState>();
        var status = Empty with { Workers = [.. states.Select(state => new WorkerStatus(new WorkerId("w"), Self, state, null))] };

        Assert.Equal(["idle", "busy", "lent", "leaving", "gone", "setAside"], States(status, "workers"));
    }

    [Fact]
    public void Loan_InEachState_HasTheDocumentedName()
    {
        var states = Enum.GetValues<LoanState>();
        var status = Empty with { Loans = [.. states.Select(state => new LoanRecord(new WorkerId("w"), LoanRole.Owner, Peer, state, Time, Time))] };

        Assert.Equal(["offered", "lent", "released", "expected", "arrived", "releasing", "returning", "returned"], States(status, "loans"));
    }

    private static ServerStatus Empty => new(Self, new MeshEndpoint("localhost", 9001), 0, 0, 0, 0, Paused: false, [], [], [], []);

    private static IEnumerable<string?> States(ServerStatus status, string list) =>
        JsonDocument.Parse(Write(status)).RootElement.GetProperty(list).EnumerateArray().Select(entry => entry.GetProperty("state").GetString());

    private static string Write(ServerStatus status) =>
        Encoding.UTF8.GetString(JsonSerializer.SerializeToUtf8Bytes(StatusResponse.Of(status), ApiJson.Default.StatusResponse));
}
