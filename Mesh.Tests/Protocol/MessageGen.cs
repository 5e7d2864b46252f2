using CsCheck;
using Mesh.Protocol;
using TaskStatus = Mesh.Protocol.TaskStatus;

namespace Mesh.Tests.Protocol;

/// <summary>Messages of every kind, within the protocol's limits.</summary>
internal static class MessageGen
{
    // Text with characters that JSON escapes and characters of one to four bytes. Unpaired surrogates have no UTF-8 form.
    private static readonly Gen<string> Character = Gen.OneOf(
        Gen.Char['a', 'z'].Select(c => c.ToString()),
        Gen.OneOf("\"", "\\", "/", "\n", "\r", "\u0000", "\u001f", "\u007f", " ", "{", "&", "<", "+"),
        Gen.OneOf("\u00e3", "\u20ac", "\u2028", "\ufeff", "\uffff", "\U0001F600", "\U0010FFFF"));

    private static readonly Gen<string> Id = Character.Array[1, 32].Select(string.Concat);
    private static readonly Gen<string> Text = Character.Array[0, 60].Select(string.Concat);
    private static readonly Gen<TaskId?> TaskId = Optional(Id.Select(id => new TaskId(id)));
    private static readonly Gen<WorkerId> Worker = Id.Select(id => new WorkerId(id));
    private static readonly Gen<ServerId> Server = Id.Select(id => new ServerId(id));
    private static readonly Gen<WorkerList> Workers = Worker.Array[0, 40].Select(ids => WorkerList.Create(ids));
    private static readonly Gen<MeshEndpoint> Endpoint = Gen.Select(Id, Gen.Int[1, 65535], (host, port) => new MeshEndpoint(host, port));
    private static readonly Gen<TaskType> Other = Gen.Select(Gen.Char['a', 'z'], Gen.OneOf(Gen.Char.AlphaNumeric, Gen.OneOf('.', '_', '-')).Array[0, 63], (first, rest) => TaskType.Parse($"{first}{new string(rest)}")!.Value);
    private static readonly Gen<TaskType> Type = Gen.OneOf(Gen.OneOf(TaskType.Query, TaskType.Update), Other);
    private static readonly Gen<TaskTypeSet> Types = Type.Array[0, 20].Select(types => TaskTypeSet.Of(types));
    private static readonly Gen<Framing?> Framing = Gen.OneOf<Framing?>(null, Mesh.Protocol.Framing.Line, Mesh.Protocol.Framing.WebSocket);
    private static readonly Gen<ServerLoad?> Load = Optional(Gen.Select(Gen.Int[0, int.MaxValue], Gen.Int[0, 9], (queue, idle) => new ServerLoad(queue, idle)));
    private static readonly Gen<decimal> Number = Gen.OneOf(Gen.Decimal, Gen.OneOf(0m, 0.1m, -12.50m, decimal.MaxValue, decimal.MinValue, 0.0000000000000000000000000001m));

    private static readonly Gen<int> Attempt = Gen.OneOf(Gen.Const(1), Gen.Int[1, int.MaxValue]);
    private static readonly Gen<TimeSpan> Delay = Gen.Long[0, ProtocolLimits.MaxRetryAfter.Ticks].Select(TimeSpan.FromTicks);

    private static readonly Gen<string?> Trace = Gen.OneOf(
        Gen.Const((string?)null),
        Gen.Select(Gen.ULong, Gen.ULong, (a, b) => (string?)$"00-{a:x16}{b:x16}-{b:x16}-01"));

    public static readonly Gen<MeshMessage> Any = Gen.Select(Gen.OneOf<MeshMessage>(
        Gen.Select(Worker, Optional(Server), Types.Null(), (w, s, t) => (MeshMessage)new GetTask(w, s) { Tasks = t }),
        Gen.Select(Text, TaskId, Attempt, (u, id, n) => (MeshMessage)new NewTask(TaskType.Query, u) { Id = id, Attempt = n }),
        Gen.Select(Text, Number, TaskId, (u, n, id) => (MeshMessage)new NewTask(TaskType.Update, u, n) { Id = id }),
        Gen.Select(Other, Optional(JsonGen.Value), TaskId, Attempt, (t, p, id, n) => (MeshMessage)new NewTask(t) { Payload = p, Id = id, Attempt = n }),
        Gen.Const((MeshMessage)new NoTask()),
        Gen.Select(Endpoint, Framing, (e, f) => (MeshMessage)new Redirect(e) { Framing = f }),
        Gen.Select(Endpoint, Framing, (e, f) => (MeshMessage)new Return(e) { Framing = f }),
        Gen.Select(Optional(Type), Worker, TaskId, Optional(JsonGen.Value), Optional(JsonGen.Array), (t, w, id, r, then) => (MeshMessage)new TaskStatus(TaskOutcome.Ok, t, w) { Id = id, Result = r, Then = then }),
        Gen.Select(Optional(Type), Worker, TaskId, Gen.Select(Text, Optional(JsonGen.Value)), Gen.Bool, Gen.Bool, Optional(Delay), (t, w, id, detail, back, retry, after) =>
            (MeshMessage)new TaskStatus(TaskOutcome.Nok, t, w) { Id = id, Error = detail.Item1, Result = detail.Item2, HandedBack = back, MayRetry = retry, RetryAfter = after }),
        Gen.Select(Optional(Type), Worker, TaskId, Optional(Gen.Double[0, 1]), (t, w, id, p) => (MeshMessage)new TaskStatus(TaskOutcome.Running, t, w) { Id = id, Progress = p }),
        Gen.Select(Optional(Worker), TaskId, Gen.Bool, (w, id, c) => (MeshMessage)new Ack { Worker = w, Id = id, Cancel = c }),
        Gen.Select(Server, Load, (s, l) => (MeshMessage)new Heartbeat(s) { Load = l }),
        Gen.Select(Server, Load, (s, l) => (MeshMessage)new HeartbeatResponse(s) { Load = l }),
        Gen.Select(Endpoint, Optional(Gen.Int[1, 1000]), Optional(Server), Types.Null(), (e, n, s, t) => (MeshMessage)new WorkerRequest(e) { WorkersNeeded = n, Server = s, Tasks = t }),
        Gen.Select(Server, Workers, (s, w) => (MeshMessage)new Available(s, w)),
        Server.Select(s => (MeshMessage)new Unavailable(s)),
        Gen.Select(Server, Workers, (s, w) => (MeshMessage)new CommandRelease(s, w)),
        Gen.Select(Server, Workers, (s, w) => (MeshMessage)new ReleaseAck(s, w)),
        Gen.Select(Server, Workers, (s, w) => (MeshMessage)new ReleaseCompleted(s, w)),
        Text.Select(e => (MeshMessage)new Rejection(e))), Trace, (message, trace) => message with { TraceParent = trace });

    private static Gen<T?> Optional<T>(Gen<T> gen)
        where T : struct => Gen.OneOf(Gen.Const((T?)null), gen.Select(value => (T?)value));
}
