using System.Reflection;
using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using Mesh.Protocol;
using Mesh.Tests.Publishing;
using TaskStatus = Mesh.Protocol.TaskStatus;

namespace Mesh.Tests.Protocol;

/// <summary>Examples of each message in the tables of docs/protocol.md, compared byte for byte in both directions.</summary>
public sealed partial class GoldenTests
{
    private static readonly MeshEndpoint Owner = new("5.6.7.8", 9000);
    private static readonly MeshEndpoint Borrower = new("1.2.3.4", 8000);
    private static readonly TaskType Resize = new("RESIZE");
    private const string Trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

    public static TheoryData<string, MeshMessage> Examples => new()
    {
        { """{"WORKER": "ALIVE", "WORKER_UUID": "uuid-do-worker-123"}""", new GetTask(new("uuid-do-worker-123")) },
        { """{"WORKER": "ALIVE", "WORKER_UUID": "uuid-do-worker-456", "SERVER_UUID": "uuid-do-dono-original"}""", new GetTask(new("uuid-do-worker-456"), new("uuid-do-dono-original")) },
        { """{"TASK": "QUERY", "USER": "user_id"}""", new NewTask(TaskType.Query, "user_id") },
        { """{"TASK": "NO_TASK"}""", new NoTask() },
        { """{"STATUS": "OK", "TASK": "QUERY", "WORKER_UUID": "uuid-do-worker-123"}""", new TaskStatus(TaskOutcome.Ok, TaskType.Query, new("uuid-do-worker-123")) },
        { """{"STATUS": "NOK", "TASK": "QUERY", "WORKER_UUID": "uuid-do-worker-123"}""", new TaskStatus(TaskOutcome.Nok, TaskType.Query, new("uuid-do-worker-123")) },
        { """{"STATUS": "ACK"}""", new Ack() },
        { """{"SERVER_UUID": "uuid-servidor-A", "TASK": "HEARTBEAT"}""", new Heartbeat(new("uuid-servidor-A")) },
        { """{"SERVER_UUID": "uuid-servidor-B", "TASK": "HEARTBEAT", "RESPONSE": "ALIVE"}""", new HeartbeatResponse(new("uuid-servidor-B")) },
        { """{"TASK": "WORKER_REQUEST", "REQUESTOR_INFO": {"ip": "1.2.3.4", "port": 8000}}""", new WorkerRequest(Borrower) },
        { """{"SERVER_UUID": "uuid-servidor-S2", "RESPONSE": "AVAILABLE", "WORKERS_UUID": ["uuid-w1", "uuid-w2"]}""", new Available(new("uuid-servidor-S2"), [new("uuid-w1"), new("uuid-w2")]) },
        { """{"SERVER_UUID": "uuid-servidor-S2", "RESPONSE": "UNAVAILABLE"}""", new Unavailable(new("uuid-servidor-S2")) },
        { """{"TASK": "REDIRECT", "SERVER_REDIRECT": {"ip": "1.2.3.4", "port": 8000}}""", new Redirect(Borrower) },
        { """{"SERVER_UUID": "uuid-servidor-S1", "TASK": "COMMAND_RELEASE", "WORKERS_UUID": ["uuid-w1", "uuid-w2"]}""", new CommandRelease(new("uuid-servidor-S1"), [new("uuid-w1"), new("uuid-w2")]) },
        { """{"SERVER_UUID": "uuid-servidor-S2", "RESPONSE": "RELEASE_ACK", "WORKERS_UUID": ["uuid-w1", "uuid-w2"]}""", new ReleaseAck(new("uuid-servidor-S2"), [new("uuid-w1"), new("uuid-w2")]) },
        { """{"TASK": "RETURN", "SERVER_RETURN": {"ip": "5.6.7.8", "port": 9000}}""", new Return(Owner) },
        { """{"SERVER_UUID": "uuid-servidor-S2", "RESPONSE": "RELEASE_COMPLETED", "WORKERS_UUID": ["uuid-w1"]}""", new ReleaseCompleted(new("uuid-servidor-S2"), [new("uuid-w1")]) },
    };

    public static TheoryData<string, MeshMessage> OurFields => new()
    {
        { $$"""{"WORKER": "ALIVE", "WORKER_UUID": "w", "TASKS": ["QUERY", "UPDATE"], "TRACEPARENT": "{{Trace}}"}""", new GetTask(new("w")) { Tasks = TaskTypeSet.Of(TaskType.Query, TaskType.Update), TraceParent = Trace } },
        { """{"WORKER": "ALIVE", "WORKER_UUID": "w", "TASKS": ["UPDATE"]}""", new GetTask(new("w")) { Tasks = TaskTypeSet.Of(TaskType.Update) } },
        { """{"WORKER": "ALIVE", "WORKER_UUID": "w", "TASKS": []}""", new GetTask(new("w")) { Tasks = TaskTypeSet.Empty } },
        { """{"TASK": "UPDATE", "USER": "maria", "AMOUNT": 12.50, "TASK_ID": "t-1"}""", new NewTask(TaskType.Update, "maria", 12.50m) { Id = new("t-1") } },
        { """{"TASK": "UPDATE", "USER": "maria", "AMOUNT": 1, "TASK_ID": "t-1", "ATTEMPT": 2}""", new NewTask(TaskType.Update, "maria", 1) { Id = new("t-1"), Attempt = 2 } },
        { """{"STATUS": "OK", "TASK": "UPDATE", "WORKER_UUID": "w", "TASK_ID": "t-1", "RESULT": -0.5}""", new TaskStatus(TaskOutcome.Ok, TaskType.Update, new("w")) { Id = new("t-1"), Result = RawJson.Of(-0.5m) } },
        { """{"STATUS": "NOK", "TASK": "QUERY", "WORKER_UUID": "w", "ERROR": "no account \"joão\""}""", new TaskStatus(TaskOutcome.Nok, TaskType.Query, new("w")) { Error = "no account \"joão\"" } },
        { """{"STATUS": "ACK", "TASK_ID": "t-1"}""", new Ack { Id = new("t-1") } },
        { """{"STATUS": "ACK", "WORKER_UUID": "w", "TASK_ID": "t-1"}""", new Ack { Worker = new("w"), Id = new("t-1") } },
        { """{"STATUS": "OK", "WORKER_UUID": "w"}""", new TaskStatus(TaskOutcome.Ok, null, new("w")) },
        { """{"TASK": "REDIRECT", "SERVER_REDIRECT": {"ip": "1.2.3.4", "port": 8000}, "FRAMING": "LINE"}""", new Redirect(Borrower) { Framing = Framing.Line } },
        { """{"TASK": "RETURN", "SERVER_RETURN": {"ip": "5.6.7.8", "port": 9000}, "FRAMING": "WEBSOCKET"}""", new Return(Owner) { Framing = Framing.WebSocket } },
        { """{"TASK": "WORKER_REQUEST", "REQUESTOR_INFO": {"ip": "1.2.3.4", "port": 8000}, "WORKERS_NEEDED": 3, "SERVER_UUID": "s"}""", new WorkerRequest(Borrower) { WorkersNeeded = 3, Server = new("s") } },
        { """{"SERVER_UUID": "s", "TASK": "HEARTBEAT", "LOAD": {"QUEUE": 7, "IDLE": 0}}""", new Heartbeat(new("s")) { Load = new(7, 0) } },
        { """{"SERVER_UUID": "s", "TASK": "HEARTBEAT", "RESPONSE": "ALIVE", "LOAD": {"QUEUE": 0, "IDLE": 2}}""", new HeartbeatResponse(new("s")) { Load = new(0, 2) } },
        { """{"STATUS": "NOK", "TASK": "QUERY", "WORKER_UUID": "w", "ERROR": "the worker is stopping", "HANDED_BACK": true}""", new TaskStatus(TaskOutcome.Nok, TaskType.Query, new("w")) { Error = "the worker is stopping", HandedBack = true } },
        { """{"TASK": "RESIZE", "PAYLOAD": {"url":"a b","width":1e400}, "TASK_ID": "t-1"}""", new NewTask(Resize) { Payload = Json("""{"url":"a b","width":1e400}"""), Id = new("t-1") } },
        { $$"""{"TASK": "img.resize_v2-b", "PAYLOAD": "x", "TRACEPARENT": "{{Trace}}"}""", new NewTask(new("img.resize_v2-b")) { Payload = Json("\"x\""), TraceParent = Trace } },
        { """{"TASK": "RESIZE"}""", new NewTask(Resize) },
        { """{"WORKER": "ALIVE", "WORKER_UUID": "w", "TASKS": ["QUERY", "RESIZE", "img.resize"]}""", new GetTask(new("w")) { Tasks = TaskTypeSet.Of(new("img.resize"), TaskType.Query, Resize) } },
        { """{"TASK": "RESIZE", "TASK_ID": "t-1", "ATTEMPT": 1000}""", new NewTask(Resize) { Id = new("t-1"), Attempt = 1000 } },
        { """{"STATUS": "OK", "TASK": "RESIZE", "WORKER_UUID": "w", "TASK_ID": "t-1", "RESULT": {"bytes":12}, "THEN": [{"type":"NOTIFY","payload":[1,null]}]}""", new TaskStatus(TaskOutcome.Ok, Resize, new("w")) { Id = new("t-1"), Result = Json("""{"bytes":12}"""), Then = Json("""[{"type":"NOTIFY","payload":[1,null]}]""") } },
        { """{"STATUS": "OK", "TASK": "RESIZE", "WORKER_UUID": "w", "RESULT": false}""", new TaskStatus(TaskOutcome.Ok, Resize, new("w")) { Result = Json("false") } },
        { """{"STATUS": "NOK", "TASK": "RESIZE", "WORKER_UUID": "w", "ERROR": "no image", "RETRY": false}""", new TaskStatus(TaskOutcome.Nok, Resize, new("w")) { Error = "no image", MayRetry = false } },
        { """{"STATUS": "NOK", "TASK": "RESIZE", "WORKER_UUID": "w", "RETRY_AFTER": 1.5}""", new TaskStatus(TaskOutcome.Nok, Resize, new("w")) { RetryAfter = TimeSpan.FromSeconds(1.5) } },
        { """{"STATUS": "NOK", "TASK": "RESIZE", "WORKER_UUID": "w", "HANDED_BACK": true, "RETRY_AFTER": 31536000}""", new TaskStatus(TaskOutcome.Nok, Resize, new("w")) { HandedBack = true, RetryAfter = TimeSpan.FromDays(365) } },
        { """{"STATUS": "RUNNING", "TASK": "RESIZE", "WORKER_UUID": "w", "TASK_ID": "t-1", "PROGRESS": 0.25}""", new TaskStatus(TaskOutcome.Running, Resize, new("w")) { Id = new("t-1"), Progress = 0.25 } },
        { """{"STATUS": "RUNNING", "TASK": "RESIZE", "WORKER_UUID": "w", "PROGRESS": 1E-05}""", new TaskStatus(TaskOutcome.Running, Resize, new("w")) { Progress = 0.00001 } },
        { """{"STATUS": "RUNNING", "WORKER_UUID": "w"}""", new TaskStatus(TaskOutcome.Running, null, new("w")) },
        { """{"STATUS": "ACK", "WORKER_UUID": "w", "TASK_ID": "t-1", "CANCEL": true}""", new Ack { Worker = new("w"), Id = new("t-1"), Cancel = true } },
        { """{"STATUS": "ACK", "CANCEL": true}""", new Ack { Cancel = true } },
        { """{"TASK": "WORKER_REQUEST", "REQUESTOR_INFO": {"ip": "1.2.3.4", "port": 8000}, "WORKERS_NEEDED": 3, "SERVER_UUID": "s", "TASKS": ["RESIZE", "UPDATE"]}""", new WorkerRequest(Borrower) { WorkersNeeded = 3, Server = new("s"), Tasks = TaskTypeSet.Of(TaskType.Update, Resize) } },
        { """{"STATUS": "NOK", "ERROR": "TASK has an unknown value"}""", new Rejection("TASK has an unknown value") },
    };

    [Fact]
    public async Task Examples_CoverEachMessageOfTheDocument()
    {
        var repository = typeof(GoldenTests).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>().Single(metadata => metadata.Key == "Repository").Value!;
        var document = await File.ReadAllTextAsync(Path.Combine(repository, "docs", "protocol.md"), TestContext.Current.CancellationToken);

        Assert.Equal(
            MessageRow().Matches(document).Select(row => row.Groups["name"].Value).Order(StringComparer.Ordinal),
            Examples.Select(row => CapitalLetter().Replace(row.Data.Item2.GetType().Name, "_$0").TrimStart('_').ToLowerInvariant()).Distinct().Order(StringComparer.Ordinal));
    }

    [Theory]
    [MemberData(nameof(Examples), DisableDiscoveryEnumeration = true)]
    [MemberData(nameof(OurFields), DisableDiscoveryEnumeration = true)]
    public void Reader_Example_GivesItsMessage(string json, MeshMessage message) => Assert.Equal(message, Wire.Read(json));

    [Theory]
    [MemberData(nameof(Examples), DisableDiscoveryEnumeration = true)]
    [MemberData(nameof(OurFields), DisableDiscoveryEnumeration = true)]
    public void Writer_Message_GivesTheExampleByteForByte(string json, MeshMessage message) => Assert.Equal(json, Wire.Write(message));

    /// <summary>Other JSON libraries write the same object without spaces, or with the fields in another order.</summary>
    [Theory]
    [MemberData(nameof(Examples), DisableDiscoveryEnumeration = true)]
    public void Reader_OtherSpacingAndOrder_GivesTheSameMessage(string json, MeshMessage message)
    {
        using var document = JsonDocument.Parse(json);
        var compact = JsonSerializer.Serialize(document.RootElement);
        var reversed = "{ " + string.Join("\t,\n", document.RootElement.EnumerateObject().Reverse().Select(p => $"\"{p.Name}\" : {p.Value.GetRawText()}")) + " }\r";
        Assert.Equal(message, Wire.Read(compact));
        Assert.Equal(message, Wire.Read(reversed));
    }

    /// <summary>The messages of "Tasks of any type" that a worker and a server send to each other. A server writes its messages byte for byte like this.</summary>
    [Fact]
    public void Dialogues_OfTheDocument_AreMessages()
    {
        var lines = DialogueLine().Matches(File.ReadAllText(BuildOutput.Source("docs/protocol.md")));

        Assert.NotEmpty(lines);
        Assert.All(lines, line =>
        {
            var message = Wire.Read(line.Groups["json"].Value);
            Assert.Equal(line.Groups["peer"].Value, message is NewTask or Ack ? "server" : "worker");
            Assert.True(message is GetTask or TaskStatus || line.Groups["json"].Value == Wire.Write(message), line.Value);
        });
    }

    private static RawJson Json(string text) => RawJson.Copy(Encoding.UTF8.GetBytes(text));

    [GeneratedRegex(@"^\| (?<name>[a-z_]+) \| \w+ → \w+ \|", RegexOptions.Multiline)]
    private static partial Regex MessageRow();

    [GeneratedRegex(@"^(?<peer>worker|server): (?<json>\{.*)$", RegexOptions.Multiline)]
    private static partial Regex DialogueLine();

    [GeneratedRegex("[A-Z]")]
    private static partial Regex CapitalLetter();
}
