using System.Text;
using Mesh.Protocol;

namespace Mesh.Tests.Protocol;

public sealed class MessageReaderTests
{
    [Theory]
    [InlineData("", ProtocolErrorKind.NotJson, "message")]
    [InlineData("   ", ProtocolErrorKind.NotJson, "message")]
    [InlineData("GET / HTTP/1.1", ProtocolErrorKind.NotJson, "message")]
    [InlineData("{", ProtocolErrorKind.NotJson, "message")]
    [InlineData("{\"TASK\": \"NO_TASK\"} x", ProtocolErrorKind.NotJson, "message")]
    [InlineData("{\"TASK\": \"NO_TASK\"}{}", ProtocolErrorKind.NotJson, "message")]
    [InlineData("{\"TASK\": \"NO_", ProtocolErrorKind.NotJson, "TASK")]
    [InlineData("{'TASK': 'NO_TASK'}", ProtocolErrorKind.NotJson, "message")]
    [InlineData("{\"TASK\": \"UPDATE\", \"USER\": \"u\", \"AMOUNT\": NaN}", ProtocolErrorKind.NotJson, "AMOUNT")]
    [InlineData("{\"TASK\": \"UPDATE\", \"USER\": \"u\", \"AMOUNT\": -Infinity}", ProtocolErrorKind.NotJson, "AMOUNT")]
    [InlineData("{\"STATUS\": \"OK\", \"TASK\": \"QUERY\", \"WORKER_UUID\": \"w\", \"RESULT\": Infinity}", ProtocolErrorKind.NotJson, "RESULT")]
    [InlineData("[]", ProtocolErrorKind.NotAnObject, "message")]
    [InlineData("\"TASK\"", ProtocolErrorKind.NotAnObject, "message")]
    [InlineData("null", ProtocolErrorKind.NotAnObject, "message")]
    [InlineData("{}", ProtocolErrorKind.UnknownShape, "message")]
    [InlineData("{\"WORKER_UUID\": \"w\"}", ProtocolErrorKind.UnknownShape, "message")]
    [InlineData("{\"TASK\": null}", ProtocolErrorKind.UnknownShape, "message")]
    [InlineData("{\"TASK\": 1}", ProtocolErrorKind.WrongType, "TASK")]
    [InlineData("{\"TASK\": \"DELETE ALL\", \"USER\": \"u\"}", ProtocolErrorKind.BadValue, "TASK")]
    [InlineData("{\"TASK\": \"QUERY\"}", ProtocolErrorKind.MissingField, "USER")]
    [InlineData("{\"TASK\": \"QUERY\", \"USER\": 5}", ProtocolErrorKind.WrongType, "USER")]
    [InlineData("{\"TASK\": \"QUERY\", \"USER\": \"u\", \"TASK_ID\": 1}", ProtocolErrorKind.WrongType, "TASK_ID")]
    [InlineData("{\"TASK\": \"UPDATE\", \"USER\": \"u\"}", ProtocolErrorKind.MissingField, "AMOUNT")]
    [InlineData("{\"TASK\": \"UPDATE\", \"USER\": \"u\", \"AMOUNT\": \"1\"}", ProtocolErrorKind.WrongType, "AMOUNT")]
    [InlineData("{\"TASK\": \"UPDATE\", \"USER\": \"u\", \"AMOUNT\": 1e40}", ProtocolErrorKind.BadValue, "AMOUNT")]
    [InlineData("{\"WORKER\": \"DEAD\", \"WORKER_UUID\": \"w\"}", ProtocolErrorKind.BadValue, "WORKER")]
    [InlineData("{\"WORKER\": \"ALIVE\"}", ProtocolErrorKind.MissingField, "WORKER_UUID")]
    [InlineData("{\"WORKER\": \"ALIVE\", \"WORKER_UUID\": null}", ProtocolErrorKind.MissingField, "WORKER_UUID")]
    [InlineData("{\"WORKER\": \"ALIVE\", \"WORKER_UUID\": \"\"}", ProtocolErrorKind.BadValue, "WORKER_UUID")]
    [InlineData("{\"WORKER\": \"ALIVE\", \"WORKER_UUID\": [\"w\"]}", ProtocolErrorKind.WrongType, "WORKER_UUID")]
    [InlineData("{\"WORKER\": \"ALIVE\", \"WORKER_UUID\": \"\\ud800\"}", ProtocolErrorKind.BadValue, "WORKER_UUID")]
    [InlineData("{\"WORKER\": \"ALIVE\", \"WORKER_UUID\": \"\\udc00\\ud800\"}", ProtocolErrorKind.BadValue, "WORKER_UUID")]
    [InlineData("{\"WORKER\": \"ALIVE\", \"WORKER_UUID\": \"w\", \"SERVER_UUID\": {}}", ProtocolErrorKind.WrongType, "SERVER_UUID")]
    [InlineData("{\"WORKER\": \"ALIVE\", \"WORKER_UUID\": \"w\", \"TASKS\": \"QUERY\"}", ProtocolErrorKind.WrongType, "TASKS")]
    [InlineData("{\"WORKER\": \"ALIVE\", \"WORKER_UUID\": \"w\", \"TASKS\": [1]}", ProtocolErrorKind.WrongType, "TASKS[]")]
    [InlineData("{\"WORKER\": \"ALIVE\", \"WORKER_UUID\": \"w\", \"TRACEPARENT\": 1}", ProtocolErrorKind.WrongType, "TRACEPARENT")]
    [InlineData("{\"STATUS\": \"MAYBE\"}", ProtocolErrorKind.BadValue, "STATUS")]
    [InlineData("{\"STATUS\": \"OK\"}", ProtocolErrorKind.MissingField, "WORKER_UUID")]
    [InlineData("{\"STATUS\": \"NOK\"}", ProtocolErrorKind.MissingField, "WORKER_UUID")]
    [InlineData("{\"STATUS\": \"NOK\", \"ERROR\": 1}", ProtocolErrorKind.WrongType, "ERROR")]
    [InlineData("{\"STATUS\": \"NOK\", \"TASK\": \"QUERY\", \"WORKER_UUID\": \"w\", \"HANDED_BACK\": \"yes\"}", ProtocolErrorKind.WrongType, "HANDED_BACK")]
    [InlineData("{\"STATUS\": \"OK\", \"TASK\": \"QUERY\"}", ProtocolErrorKind.MissingField, "WORKER_UUID")]
    [InlineData("{\"STATUS\": \"OK\", \"TASK\": \"REDIRECT\", \"WORKER_UUID\": \"w\"}", ProtocolErrorKind.BadValue, "TASK")]
    [InlineData("{\"STATUS\": \"ACK\", \"WORKER_UUID\": 7}", ProtocolErrorKind.WrongType, "WORKER_UUID")]
    [InlineData("{\"TASK\": \"REDIRECT\"}", ProtocolErrorKind.MissingField, "SERVER_REDIRECT")]
    [InlineData("{\"TASK\": \"REDIRECT\", \"SERVER_REDIRECT\": \"1.2.3.4:80\"}", ProtocolErrorKind.WrongType, "SERVER_REDIRECT")]
    [InlineData("{\"TASK\": \"REDIRECT\", \"SERVER_REDIRECT\": {\"port\": 80}}", ProtocolErrorKind.MissingField, "SERVER_REDIRECT.ip")]
    [InlineData("{\"TASK\": \"REDIRECT\", \"SERVER_REDIRECT\": {\"ip\": \"\", \"port\": 80}}", ProtocolErrorKind.BadValue, "SERVER_REDIRECT.ip")]
    [InlineData("{\"TASK\": \"REDIRECT\", \"SERVER_REDIRECT\": {\"ip\": 1, \"port\": 80}}", ProtocolErrorKind.WrongType, "SERVER_REDIRECT.ip")]
    [InlineData("{\"TASK\": \"RETURN\", \"SERVER_RETURN\": {\"ip\": \"h\"}}", ProtocolErrorKind.MissingField, "SERVER_RETURN.port")]
    [InlineData("{\"TASK\": \"RETURN\", \"SERVER_RETURN\": {\"ip\": \"h\", \"port\": \"80\"}}", ProtocolErrorKind.WrongType, "SERVER_RETURN.port")]
    [InlineData("{\"TASK\": \"RETURN\", \"SERVER_RETURN\": {\"ip\": \"h\", \"port\": 0}}", ProtocolErrorKind.BadValue, "SERVER_RETURN.port")]
    [InlineData("{\"TASK\": \"RETURN\", \"SERVER_RETURN\": {\"ip\": \"h\", \"port\": 65536}}", ProtocolErrorKind.BadValue, "SERVER_RETURN.port")]
    [InlineData("{\"TASK\": \"RETURN\", \"SERVER_RETURN\": {\"ip\": \"h\", \"port\": 80.5}}", ProtocolErrorKind.BadValue, "SERVER_RETURN.port")]
    [InlineData("{\"TASK\": \"WORKER_REQUEST\", \"REQUESTOR_INFO\": {\"ip\": \"h\", \"port\": 1}, \"WORKERS_NEEDED\": 0}", ProtocolErrorKind.BadValue, "WORKERS_NEEDED")]
    [InlineData("{\"TASK\": \"HEARTBEAT\"}", ProtocolErrorKind.MissingField, "SERVER_UUID")]
    [InlineData("{\"SERVER_UUID\": \"s\", \"TASK\": \"HEARTBEAT\", \"LOAD\": 1}", ProtocolErrorKind.WrongType, "LOAD")]
    [InlineData("{\"SERVER_UUID\": \"s\", \"TASK\": \"HEARTBEAT\", \"LOAD\": {\"QUEUE\": -1, \"IDLE\": 0}}", ProtocolErrorKind.BadValue, "LOAD.QUEUE")]
    [InlineData("{\"SERVER_UUID\": \"s\", \"TASK\": \"HEARTBEAT\", \"LOAD\": {\"QUEUE\": 1}}", ProtocolErrorKind.MissingField, "LOAD.IDLE")]
    [InlineData("{\"SERVER_UUID\": \"s\", \"RESPONSE\": \"ALIVE\"}", ProtocolErrorKind.MissingField, "TASK")]
    [InlineData("{\"SERVER_UUID\": \"s\", \"RESPONSE\": \"ALIVE\", \"TASK\": \"QUERY\"}", ProtocolErrorKind.BadValue, "TASK")]
    [InlineData("{\"SERVER_UUID\": \"s\", \"RESPONSE\": \"PERHAPS\"}", ProtocolErrorKind.BadValue, "RESPONSE")]
    [InlineData("{\"SERVER_UUID\": \"s\", \"RESPONSE\": \"AVAILABLE\"}", ProtocolErrorKind.MissingField, "WORKERS_UUID")]
    [InlineData("{\"SERVER_UUID\": \"s\", \"RESPONSE\": \"AVAILABLE\", \"WORKERS_UUID\": \"w\"}", ProtocolErrorKind.WrongType, "WORKERS_UUID")]
    [InlineData("{\"SERVER_UUID\": \"s\", \"RESPONSE\": \"AVAILABLE\", \"WORKERS_UUID\": [\"w\", null]}", ProtocolErrorKind.WrongType, "WORKERS_UUID[]")]
    [InlineData("{\"SERVER_UUID\": \"s\", \"RESPONSE\": \"AVAILABLE\", \"WORKERS_UUID\": [\"\", \"w\"]}", ProtocolErrorKind.BadValue, "WORKERS_UUID[]")]
    public void BadInput_Read_NamesKindAndField(string json, ProtocolErrorKind kind, string field)
    {
        var error = Wire.Fail(json);
        Assert.Equal((kind, field), (error.Kind, error.Field));
    }

    [Theory]
    [InlineData("""{"TASK": "NO_TASK", "USER": 5, "LOAD": [], "x": {"y": [1, {}]}, "": null}""")] // no fields of no_task
    [InlineData("""{"x": 7, "x": 8, "TASK": "NO_TASK"}""")]
    [InlineData("""{"\u0054ASK": "NO\u005fTASK", "STATUS": null}""")]
    [InlineData("""{"\ud800": "\udc00", "TASK": "NO_TASK"}""")] // half a pair where nobody looks
    public void Field_NotPartOfTheMessage_IsIgnored(string json) => Assert.Equal(new NoTask(), Wire.Read(json));

    [Theory]
    [InlineData("""{"TASK": "UPDATE", "USER": "u", "AMOUNT": 1, "AMOUNT": 100}""", "AMOUNT")]
    [InlineData("""{"TASK": "UPDATE", "USER": "u", "AMOUNT": 1, "AMOUNT": 1}""", "AMOUNT")]
    [InlineData("""{"TASK": "QUERY", "USER": null, "USER": "u"}""", "USER")]
    [InlineData("""{"TASK": "NO_TASK", "TASK": "NO_TASK"}""", "TASK")]
    [InlineData("""{"TASK": "NO_TASK", "\u0054ASK": "NO_TASK"}""", "TASK")]
    [InlineData("""{"TASK": "NO_TASK", "TRACEPARENT": "x", "TRACEPARENT": "x"}""", "TRACEPARENT")]
    [InlineData("""{"TASK": "REDIRECT", "SERVER_REDIRECT": {"ip": "h", "port": 1}, "SERVER_REDIRECT": {"ip": "i", "port": 1}}""", "SERVER_REDIRECT")]
    [InlineData("""{"TASK": "REDIRECT", "SERVER_REDIRECT": {"ip": "h", "ip": "i", "port": 1}}""", "SERVER_REDIRECT.ip")]
    [InlineData("""{"TASK": "RETURN", "SERVER_RETURN": {"ip": "h", "port": 1, "x": 1, "port": 2}}""", "SERVER_RETURN.port")]
    [InlineData("""{"SERVER_UUID": "s", "TASK": "HEARTBEAT", "LOAD": {"QUEUE": 1, "IDLE": 0, "IDLE": 1}}""", "LOAD.IDLE")]
    public void FieldGivenTwice_Read_IsRefusedByName(string json, string field)
    {
        var error = Wire.Fail(json);
        Assert.Equal((ProtocolErrorKind.DuplicateField, field, "is given twice"), (error.Kind, error.Field, error.Detail));
    }

    [Fact]
    public void ByteOrderMark_BeforeAMessage_IsAccepted()
    {
        var bytes = Encoding.UTF8.GetBytes("\uFEFF{\"TASK\": \"NO_TASK\"}");
        Assert.Equal([0xEF, 0xBB, 0xBF, (byte)'{'], bytes[..4]);
        Assert.True(MessageReader.TryRead(bytes, out var message, out _));
        Assert.Equal(new NoTask(), message);

        var sequence = Wire.Cut(bytes, 1, 2, 5);
        Assert.True(MessageReader.TryRead(in sequence, out message, out _));
        Assert.Equal(new NoTask(), message);
        Assert.Equal(ProtocolErrorKind.NotJson, Wire.Fail("\uFEFF").Kind);
        Assert.Equal(ProtocolErrorKind.NotJson, Wire.Fail("\uFEFF\uFEFF{\"TASK\": \"NO_TASK\"}").Kind);
    }

    [Fact]
    public void PythonEscapes_Read_GiveTheirText() =>
        Assert.Equal(new NewTask(TaskType.Query, "jo\u00e3o \U0001F600\n"), Wire.Read("""{"TASK": "QUERY", "USER": "jo\u00e3o \ud83d\ude00\n"}"""));

    [Theory]
    [InlineData("1", "1")]
    [InlineData("12.5", "12.5")]
    [InlineData("1e2", "100")]
    [InlineData("1E+16", "10000000000000000")]
    [InlineData("2.5e-7", "0.00000025")]
    [InlineData("-0", "0")]
    public void PythonNumbers_Read_AreDecimals(string number, string expected) =>
        Assert.Equal(decimal.Parse(expected, System.Globalization.CultureInfo.InvariantCulture), ((NewTask)Wire.Read($$"""{"TASK": "UPDATE", "USER": "u", "AMOUNT": {{number}}}""")).Amount);

    [Fact]
    public void Unavailable_WithEmptyWorkers_IsUnavailable() =>
        Assert.Equal(new Unavailable(new("s")), Wire.Read("""{"SERVER_UUID":"s","RESPONSE":"UNAVAILABLE","WORKERS_UUID":[]}"""));

    [Fact]
    public void Home_Null_IsAbsent() =>
        Assert.Equal(new GetTask(new("w")), Wire.Read("""{"WORKER": "ALIVE", "WORKER_UUID": "w", "SERVER_UUID": null, "TASKS": null}"""));

    [Theory]
    [InlineData("""["UPDATE"]""", "UPDATE")]
    [InlineData("""["UPDATE", "a b", "NO_TASK", "", "1", "UPDATE"]""", "UPDATE")]
    [InlineData("""["b", "RESIZE", "\u0051UERY", "B", "a.b_c-9"]""", "B, QUERY, RESIZE, a.b_c-9, b")]
    [InlineData("""["REDIRECT", "RETURN", "HEARTBEAT", "WORKER_REQUEST", "COMMAND_RELEASE"]""", "")]
    public void Tasks_WithInvalidTypes_KeepsTheOthersSorted(string tasks, string expected)
    {
        Assert.Equal(expected, $"{((GetTask)Wire.Read($$"""{"WORKER": "ALIVE", "WORKER_UUID": "w", "TASKS": {{tasks}}}""")).Tasks}");
        Assert.Equal(expected, $"{((WorkerRequest)Wire.Read($$"""{"TASK": "WORKER_REQUEST", "REQUESTOR_INFO": {"ip": "h", "port": 1}, "TASKS": {{tasks}}}""")).Tasks}");
    }

    [Theory]
    [InlineData("")]
    [InlineData("hello")]
    [InlineData("00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01")]
    [InlineData("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01x")]
    public void TraceParent_NotW3C_IsIgnored(string trace) =>
        Assert.Null(Wire.Read($$"""{"TASK": "NO_TASK", "TRACEPARENT": "{{trace}}"}""").TraceParent);

    [Fact]
    public void Status_WithoutTask_IsOneOfNoType() => Assert.Equal(
        new Mesh.Protocol.TaskStatus(TaskOutcome.Nok, null, new("w")) { Error = "no" }, Wire.Read("""{"STATUS": "NOK", "WORKER_UUID": "w", "ERROR": "no"}"""));

    [Theory]
    [InlineData("{}", true)]
    [InlineData("{\"type\": \"HEARTBEAT\", \"request_id\": \"1\", \"payload\": {}}", true)]
    [InlineData("{\"TASK\": \"DELETE?\"}", true)]
    [InlineData("{\"STATUS\": \"OK\", \"TASK\": \"DELETE?\", \"WORKER_UUID\": \"w\"}", true)]
    [InlineData("{\"WORKER\": \"BUSY\", \"WORKER_UUID\": \"w\"}", true)]
    [InlineData("{\"WORKER\": \"ALIVE\"}", false)]
    [InlineData("{\"WORKER\": 17}", false)]
    [InlineData("[]", false)]
    [InlineData("x", false)]
    public void BadInput_UnknownMessage_IsMarkedAsUnknown(string json, bool unknown) => Assert.Equal(unknown, Wire.Fail(json).IsUnknownMessage);

    [Fact]
    public void Framing_Unknown_IsIgnored() =>
        Assert.Null(((Redirect)Wire.Read("""{"TASK": "REDIRECT", "SERVER_REDIRECT": {"ip": "h", "port": 1}, "FRAMING": "PIGEON"}""")).Framing);

    [Fact]
    public void InvalidUtf8_Read_IsNotJson() =>
        Assert.Equal(ProtocolErrorKind.NotJson, Wire.Fail(Encoding.Latin1.GetBytes("{\"TASK\": \"NO_TASK\", \"x\": \"\u00ff\"}")).Kind);

    [Theory]
    [InlineData(ProtocolLimits.MaxMessageBytes, true)]
    [InlineData(ProtocolLimits.MaxMessageBytes + 1, false)]
    public void Message_LengthAroundLimit_IsAcceptedOrRejected(int length, bool fits)
    {
        var json = """{"TASK": "NO_TASK"}""".PadRight(length);
        var sequence = Wire.Cut(Encoding.UTF8.GetBytes(json), 5, 1000);
        Assert.Equal(fits, MessageReader.TryRead(in sequence, out _, out var error));
        Assert.Equal(fits ? default : ProtocolError.TooLong, error);
    }

    [Theory]
    [InlineData(ProtocolLimits.MaxDepth, true)]
    [InlineData(ProtocolLimits.MaxDepth + 1, false)]
    [InlineData(5000, false)]
    public void Message_DepthAroundLimit_IsAcceptedOrRejected(int depth, bool fits)
    {
        // The message itself is one level.
        foreach (var (open, close) in new[] { ("[", "]"), ("{\"x\":", "}") })
        {
            foreach (var field in new[] { "x", "USER", "SERVER_REDIRECT", "TASKS", "WORKERS_UUID" })
            {
                var nested = string.Concat(Enumerable.Repeat(open, depth - 1)) + "1" + string.Concat(Enumerable.Repeat(close, depth - 1));
                var read = MessageReader.TryRead(Encoding.UTF8.GetBytes($$"""{"{{field}}": {{nested}}, "TASK": "NO_TASK"}"""), out _, out var error);
                Assert.True(fits == read, $"{field}: {error}");
                Assert.Equal(fits ? default : ProtocolErrorKind.TooDeep, error.Kind);
            }
        }
    }

    [Theory]
    [InlineData(ProtocolLimits.MaxIdBytes, true)]
    [InlineData(ProtocolLimits.MaxIdBytes + 2, false)]
    public void Id_LengthAroundLimit_IsAcceptedOrRejected(int bytes, bool fits)
    {
        var id = string.Concat(Enumerable.Repeat("\u00e3", bytes / 2));
        var escaped = string.Concat(Enumerable.Repeat("\\u00e3", bytes / 2));
        foreach (var text in new[] { id, escaped })
        {
            var read = MessageReader.TryRead(Encoding.UTF8.GetBytes($$"""{"WORKER": "ALIVE", "WORKER_UUID": "{{text}}"}"""), out var message, out var error);
            Assert.Equal(fits, read);
            Assert.Equal(fits ? "" : "WORKER_UUID is too long", fits ? "" : error.ToString());
            Assert.Equal(fits ? id : null, (message as GetTask)?.Worker.Value);
        }
    }
}
