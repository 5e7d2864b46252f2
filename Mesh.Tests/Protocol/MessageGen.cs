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
    private static readonly Gen<TaskType> Type = Gen.OneOf(TaskType.Query, TaskType.Update);
    private static readonly Gen<Framing?> Framing = Gen.OneOf<Framing?>(null, Mesh.Protocol.Framing.Line, Mesh.Protocol.Framing.WebSocket);
    private static readonly Gen<ServerLoad?> Load = Optional(Gen.Select(Gen.Int[0, int.MaxValue], Gen.Int[0, 9], (queue, idle) => new ServerLoad(queue, idle)));
    private static readonly Gen<decimal> Number = Gen.OneOf(Gen.Decimal, Gen.OneOf(0m, 0.1m, -12.50m, decimal.MaxValue, decimal.MinValue, 0.0000000000000000000000000001m));

    private static readonly Gen<string?> Trace = Gen.OneOf(
        Gen.Const((string?)null),
        Gen.Select(Gen.ULong, Gen.ULong, (a, b) => (string?)$"00-{a:x16}{b:x16}-{b:x16}-01"));

    public static readonly Gen<MeshMessage> Any = Gen.Select(Gen.OneOf<MeshMessage>(
        Gen.Select(Worker, Optional(Server), Gen.OneOf<TaskTypes?>(null, TaskTypes.None, TaskTypes.Query, TaskTypes.All), (w, s, t) => (MeshMessage)new GetTask(w, s) { Tasks = t }),
        Gen.Select(Text, TaskId, (u, id) => (MeshMessage)new NewTask(TaskType.Query, u) { Id = id }),
        Gen.Select(Text, Number, TaskId, (u, n, id) => (MeshMessage)new NewTask(TaskType.Update, u, n) { Id = id }),
        Gen.Const((MeshMessage)new NoTask()),
        Gen.Select(Endpoint, Framing, (e, f) => (MeshMessage)new Redirect(e) { Framing = f }),
        Gen.Select(Endpoint, Framing, (e, f) => (MeshMessage)new Return(e) { Framing = f }),
        Gen.Select(Optional(Type), Worker, TaskId, Optional(Number), (t, w, id, n) => (MeshMessage)new TaskStatus(TaskOutcome.Ok, t, w) { Id = id, Result = n }),
        Gen.Select(Optional(Type), Worker, TaskId, Text, Gen.Bool, (t, w, id, e, back) => (MeshMessage)new TaskStatus(TaskOutcome.Nok, t, w) { Id = id, Error = e, HandedBack = back }),
        Gen.Select(Optional(Worker), TaskId, (w, id) => (MeshMessage)new Ack { Worker = w, Id = id }),
        Gen.Select(Server, Load, (s, l) => (MeshMessage)new Heartbeat(s) { Load = l }),
        Gen.Select(Server, Load, (s, l) => (MeshMessage)new HeartbeatResponse(s) { Load = l }),
        Gen.Select(Endpoint, Optional(Gen.Int[1, 1000]), Optional(Server), (e, n, s) => (MeshMessage)new WorkerRequest(e) { WorkersNeeded = n, Server = s }),
        Gen.Select(Server, Workers, (s, w) => (MeshMessage)new Available(s, w)),
        Server.Select(s => (MeshMessage)new Unavailable(s)),
        Gen.Select(Server, Workers, (s, w) => (MeshMessage)new CommandRelease(s, w)),
        Gen.Select(Server, Workers, (s, w) => (MeshMessage)new ReleaseAck(s, w)),
        Gen.Select(Server, Workers, (s, w) => (MeshMessage)new ReleaseCompleted(s, w)),
        Text.Select(e => (MeshMessage)new Rejection(e))), Trace, (message, trace) => message with { TraceParent = trace });

    private static Gen<T?> Optional<T>(Gen<T> gen)
        where T : struct => Gen.OneOf(Gen.Const((T?)null), gen.Select(value => (T?)value));
}
