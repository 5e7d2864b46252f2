using System.Text;
using CsCheck;
using Mesh.Protocol;
using TaskStatus = Mesh.Protocol.TaskStatus;

namespace Mesh.Tests.Protocol;

/// <summary>docs/protocol.md, "Tasks of any type".</summary>
public sealed class AnyTypeTests
{
    private const string Status = "\"TASK\": \"T\", \"WORKER_UUID\": \"w\"";

    [Fact]
    public void Values_WithWhiteSpace_AreReadWithoutIt() => Gen.Select(JsonGen.Spaced, JsonGen.Spaced).Sample((one, other) =>
    {
        var (value, array) = (string.Concat(one.Tokens), $"[{string.Concat(other.Tokens)}]");
        Assert.Equal(value == "null" ? null : value, ((NewTask)Wire.Read($$"""{"PAYLOAD":{{one.Text}},"TASK": "T"}""")).Payload?.ToString());
        var status = (TaskStatus)Wire.Read($$"""{"THEN" :[{{other.Text}}] ,"RESULT" : {{one.Text}}, "STATUS": "OK", {{Status}}}""");
        Assert.Equal((value == "null" ? null : value, array), (status.Result?.ToString(), status.Then?.ToString()));
    });

    [Theory]
    [InlineData("1e400")]
    [InlineData("-1E-400")]
    [InlineData("1234567890123456789012345678901234567890.0987654321098765432109876543210987654321")]
    [InlineData("\"\\ud800 \\u0061\\/\"")]
    [InlineData("{\"a\":1,\"a\":2,\"PAYLOAD\":null}")]
    public void Values_BeyondWhatLibrariesKeep_AreUnchanged(string json)
    {
        Assert.Equal($$"""{"TASK": "T", "PAYLOAD": {{json}}}""", Wire.Write(Wire.Read($$"""{"TASK": "T", "PAYLOAD": {{json}}}""")));
        Assert.Equal($$"""{"STATUS": "OK", {{Status}}, "RESULT": {{json}}, "THEN": [{{json}}]}""", Wire.Write(Wire.Read($$"""{"STATUS": "OK", {{Status}}, "RESULT": {{json}}, "THEN": [{{json}}]}""")));
        Assert.Equal($$"""{"STATUS": "NOK", "TASK": "QUERY", "WORKER_UUID": "w", "RESULT": {{json}}}""", Wire.Write(Wire.Read($$"""{"STATUS": "NOK", "TASK": "QUERY", "WORKER_UUID": "w", "RESULT": {{json}}}""")));
    }

    [Fact]
    public void Payload_OfAnyLength_IsUnchanged() =>
        Gen.OneOf(Gen.Int[1, 300], Gen.Int[1, ProtocolLimits.MaxValueBytes], Gen.Const(ProtocolLimits.MaxValueBytes)).Sample(
            length =>
            {
                var value = Value(length);
                Assert.Equal(length, value.Length);
                Assert.Equal(value, ((NewTask)Wire.Read(Wire.Write(new NewTask(new("T")) { Payload = value }))).Payload);
            },
            iter: 200);

    [Theory]
    [InlineData(ProtocolLimits.MaxValueDepth, true)]
    [InlineData(ProtocolLimits.MaxValueDepth + 1, false)]
    [InlineData(5000, false)]
    public void Value_DepthAroundLimit_IsAcceptedOrRefused(int depth, bool fits)
    {
        foreach (var (open, close) in new[] { ("[", "]"), ("[{\"x\":", "}]") })
        {
            var value = string.Concat(Enumerable.Repeat(open, depth / (open.Length == 1 ? 1 : 2))) + "1" + string.Concat(Enumerable.Repeat(close, depth / (open.Length == 1 ? 1 : 2)));
            value = open.Length > 1 && depth % 2 == 1 ? $"[{value}]" : value;
            foreach (var (field, message) in new[] { ("PAYLOAD", "\"TASK\": \"T\""), ("RESULT", $"\"STATUS\": \"OK\", {Status}"), ("THEN", $"\"STATUS\": \"OK\", {Status}"), ("PAYLOAD", "\"TASK\": \"NO_TASK\"") })
            {
                var read = MessageReader.TryRead(Encoding.UTF8.GetBytes($$"""{"{{field}}": {{value}}, {{message}}}"""), out _, out var error);
                Assert.True(fits == read, $"{field}: {error}");
                Assert.Equal(fits ? default : new(ProtocolErrorKind.TooDeep, field, "is nested too deep"), error);
            }
        }
    }

    [Fact]
    public void OtherField_BesideADeepPayload_KeepsItsLimit() =>
        Assert.Equal("message is nested too deep", Wire.Fail($$"""{"TASK": "T", "PAYLOAD": [[[[[[[[[[1]]]]]]]]]], "x": [[[[[[[[1]]]]]]]]}""").ToString());

    [Theory]
    [InlineData("\"TASK\": \"a b\"", "TASK has an unknown value")]
    [InlineData("\"TASK\": \"\"", "TASK has an unknown value")]
    [InlineData("\"TASK\": \"T\", \"PAYLOAD\": {\"a\":}", "PAYLOAD is not JSON")]
    [InlineData("\"TASK\": \"T\", \"PAYLOAD\": 1, \"PAYLOAD\": 1", "PAYLOAD is given twice")]
    [InlineData("\"TASK\": \"T\", \"TASK_ID\": 1", "TASK_ID must be a string")]
    [InlineData("\"TASK\": \"T\", \"ATTEMPT\": 0", "ATTEMPT is out of range")]
    [InlineData("\"TASK\": \"T\", \"ATTEMPT\": \"2\"", "ATTEMPT must be a number")]
    [InlineData("\"STATUS\": \"OK\", \"TASK\": \"RETURN\", \"WORKER_UUID\": \"w\"", "TASK has an unknown value")]
    [InlineData("\"STATUS\": \"OK\", \"TASK\": \"9\", \"WORKER_UUID\": \"w\"", "TASK has an unknown value")]
    [InlineData("\"STATUS\": \"OK\", \"TASK\": \"T\"", "WORKER_UUID is missing")]
    [InlineData("\"STATUS\": \"OK\", " + Status + ", \"RESULT\": [1,]", "RESULT is not JSON")]
    [InlineData("\"STATUS\": \"OK\", " + Status + ", \"THEN\": {}", "THEN must be an array")]
    [InlineData("\"STATUS\": \"OK\", " + Status + ", \"THEN\": \"[]\"", "THEN must be an array")]
    [InlineData("\"STATUS\": \"OK\", " + Status + ", \"THEN\": [], \"THEN\": []", "THEN is given twice")]
    [InlineData("\"STATUS\": \"RUNNING\"", "WORKER_UUID is missing")]
    [InlineData("\"STATUS\": \"RUNNING\", \"TASK\": \"HEARTBEAT\", \"WORKER_UUID\": \"w\"", "TASK has an unknown value")]
    [InlineData("\"STATUS\": \"RUNNING\", " + Status + ", \"TASK_ID\": []", "TASK_ID must be a string")]
    [InlineData("\"STATUS\": \"RUNNING\", " + Status + ", \"PROGRESS\": \"50%\"", "PROGRESS must be a number")]
    [InlineData("\"STATUS\": \"RUNNING\", " + Status + ", \"PROGRESS\": 1.0001", "PROGRESS is out of range")]
    [InlineData("\"STATUS\": \"RUNNING\", " + Status + ", \"PROGRESS\": -0.1", "PROGRESS is out of range")]
    [InlineData("\"STATUS\": \"RUNNING\", " + Status + ", \"PROGRESS\": 1e400", "PROGRESS is out of range")]
    [InlineData("\"STATUS\": \"RUNNING\", " + Status + ", \"PROGRESS\": NaN", "PROGRESS is not JSON")]
    [InlineData("\"STATUS\": \"NOK\", " + Status + ", \"RETRY\": \"no\"", "RETRY must be true or false")]
    [InlineData("\"STATUS\": \"NOK\", " + Status + ", \"RETRY_AFTER\": \"00:00:30\"", "RETRY_AFTER must be a number")]
    [InlineData("\"STATUS\": \"NOK\", " + Status + ", \"RETRY_AFTER\": -1", "RETRY_AFTER is out of range")]
    [InlineData("\"STATUS\": \"NOK\", " + Status + ", \"RETRY_AFTER\": 31536000.1", "RETRY_AFTER is out of range")]
    [InlineData("\"STATUS\": \"NOK\", " + Status + ", \"RETRY_AFTER\": 1e999", "RETRY_AFTER is out of range")]
    [InlineData("\"STATUS\": \"ACK\", \"CANCEL\": 1", "CANCEL must be true or false")]
    [InlineData("\"WORKER\": \"ALIVE\", \"WORKER_UUID\": \"w\", \"TASKS\": {}", "TASKS must be an array")]
    [InlineData("\"WORKER\": \"ALIVE\", \"WORKER_UUID\": \"w\", \"TASKS\": [\"T\", null]", "TASKS[] must be a string")]
    [InlineData("\"WORKER\": \"ALIVE\", \"WORKER_UUID\": \"w\", \"TASKS\": [[]]", "TASKS[] must be a string")]
    [InlineData("\"TASK\": \"WORKER_REQUEST\", \"REQUESTOR_INFO\": {\"ip\": \"h\", \"port\": 1}, \"TASKS\": \"T\"", "TASKS must be an array")]
    [InlineData("\"TASK\": \"WORKER_REQUEST\", \"REQUESTOR_INFO\": {\"ip\": \"h\", \"port\": 1}, \"TASKS\": [1]", "TASKS[] must be a string")]
    public void BadInput_Read_GivesTheText(string fields, string expected) => Assert.Equal(expected, Wire.Fail($"{{{fields}}}").ToString());

    [Theory]
    [InlineData("\"TASK\": \"QUERY\", \"USER\": \"u\", \"PAYLOAD\": {}", "\"TASK\": \"QUERY\", \"USER\": \"u\"")]
    [InlineData("\"TASK\": \"UPDATE\", \"USER\": \"u\", \"AMOUNT\": 1, \"PAYLOAD\": {}", "\"TASK\": \"UPDATE\", \"USER\": \"u\", \"AMOUNT\": 1")]
    [InlineData("\"TASK\": \"T\", \"USER\": 5, \"AMOUNT\": \"x\"", "\"TASK\": \"T\"")]
    [InlineData("\"TASK\": \"T\", \"PAYLOAD\": null", "\"TASK\": \"T\"")]
    [InlineData("\"STATUS\": \"RUNNING\", " + Status + ", \"RESULT\": 1, \"ERROR\": 1, \"HANDED_BACK\": 1, \"RETRY\": 1, \"RETRY_AFTER\": \"\", \"THEN\": 1", "\"STATUS\": \"RUNNING\", " + Status)]
    [InlineData("\"STATUS\": \"OK\", " + Status + ", \"RESULT\": null, \"THEN\": null, \"PROGRESS\": \"50%\", \"RETRY\": 3, \"RETRY_AFTER\": -1", "\"STATUS\": \"OK\", " + Status)]
    [InlineData("\"STATUS\": \"NOK\", " + Status + ", \"PROGRESS\": \"50%\", \"THEN\": 1, \"RETRY\": null, \"RETRY_AFTER\": null", "\"STATUS\": \"NOK\", " + Status)]
    [InlineData("\"STATUS\": \"ACK\", \"CANCEL\": false", "\"STATUS\": \"ACK\"")]
    [InlineData("\"STATUS\": \"NOK\", " + Status + ", \"RETRY\": true, \"RETRY_AFTER\": 0", "\"STATUS\": \"NOK\", " + Status + ", \"RETRY_AFTER\": 0")]
    public void Field_WithoutMeaning_IsIgnored(string fields, string expected)
    {
        Assert.Equal(Wire.Read($"{{{expected}}}"), Wire.Read($"{{{fields}}}"));
        Assert.Equal($"{{{expected}}}", Wire.Write(Wire.Read($"{{{fields}}}")));
    }

    [Theory]
    [InlineData(ProtocolLimits.MaxTaskTypes, true)]
    [InlineData(ProtocolLimits.MaxTaskTypes + 1, false)]
    public void Tasks_CountAroundLimit_AreAcceptedOrRefused(int count, bool fits)
    {
        // Invalid and repeated types do not count.
        var types = string.Join(", ", Enumerable.Range(0, count).Select(i => $"\"T{i}\"").Concat(["\"T0\"", "\"1\"", "\"NO_TASK\""]));
        foreach (var message in new[] { "\"WORKER\": \"ALIVE\", \"WORKER_UUID\": \"w\"", "\"TASK\": \"WORKER_REQUEST\", \"REQUESTOR_INFO\": {\"ip\": \"h\", \"port\": 1}" })
        {
            Assert.Equal(fits, MessageReader.TryRead(Encoding.UTF8.GetBytes($$"""{"TASKS": [{{types}}], {{message}}}"""), out var read, out var error));
            Assert.Equal(fits ? default : new(ProtocolErrorKind.BadValue, "TASKS", "has more than 64 task types"), error);
            Assert.Equal(fits ? count : null, ((read as GetTask)?.Tasks ?? (read as WorkerRequest)?.Tasks)?.Count);
        }
    }

    [Fact]
    public void Tasks_MoreArraysThanAreKept_AreEachRead()
    {
        for (var round = 0; round < 2; round++)
        {
            Assert.All(Enumerable.Range(0, 2000), i => Assert.Equal($"QUERY, T{i}", $"{((GetTask)Wire.Read($$"""{"WORKER": "ALIVE", "WORKER_UUID": "w", "TASKS": ["T{{i}}","QUERY"]}""")).Tasks}"));
        }
    }

    [Fact]
    public void TaskType_EscapedAtItsLongest_IsRead()
    {
        var escaped = string.Concat(Enumerable.Repeat("\\u0078", TaskType.MaxLength));
        Assert.Equal(new NewTask(new(new string('x', TaskType.MaxLength))), Wire.Read($$"""{"TASK": "{{escaped}}"}"""));
        Assert.Equal("TASK has an unknown value", Wire.Fail($$"""{"TASK": "{{escaped}}x"}""").ToString());
        Assert.Equal("TASK has an unknown value", Wire.Fail("""{"TASK": "x\ud800"}""").ToString());
    }

    [Theory]
    [InlineData("0", 0)]
    [InlineData("-0", 0)]
    [InlineData("1e-30", 0)]
    [InlineData("0.0000001", 1)]
    [InlineData("0.30000000000000004", 3_000_000)]
    [InlineData("1.1", 11_000_000)]
    [InlineData("90", 900_000_000)]
    [InlineData("31535999.9999999", 315_359_999_999_999)]
    [InlineData("31536000", 315_360_000_000_000)]
    public void RetryAfter_Seconds_AreRoundedToTicks(string seconds, long ticks) =>
        Assert.Equal(TimeSpan.FromTicks(ticks), ((TaskStatus)Wire.Read($$"""{"STATUS": "NOK", {{Status}}, "RETRY_AFTER": {{seconds}}}""")).RetryAfter);

    [Fact]
    public void Status_ValueOutOfRange_IsNotCreated()
    {
        Assert.All([-0.1, 1.1, double.NaN], progress => Assert.Throws<ArgumentOutOfRangeException>(() => new TaskStatus(TaskOutcome.Running, null, new("w")) { Progress = progress }));
        Assert.All([TimeSpan.FromTicks(-1), ProtocolLimits.MaxRetryAfter + TimeSpan.FromTicks(1)], delay => Assert.Throws<ArgumentOutOfRangeException>(() => new TaskStatus(TaskOutcome.Nok, null, new("w")) { RetryAfter = delay }));
    }

    [Fact]
    public void Message_WithTheLongestValuesAndOtherFields_FitsTheLimit()
    {
        // An escaped control character has the most bytes for one byte of an id.
        var (id, type, trace) = (new string('\u0001', ProtocolLimits.MaxIdBytes), new TaskType(new string('t', TaskType.MaxLength)), $"00-{new string('a', 32)}-{new string('b', 16)}-01-{new string('x', 72)}");
        MeshMessage[] messages =
        [
            new NewTask(type) { Payload = Value(ProtocolLimits.MaxValueBytes), Id = new(id), TraceParent = trace },
            new TaskStatus(TaskOutcome.Ok, type, new(id)) { Id = new(id), Result = Value(1024), Then = RawJson.Copy(Encoding.UTF8.GetBytes($"[{Value(ProtocolLimits.MaxValueBytes - 1026)}]")), TraceParent = trace },
        ];
        Assert.All(messages, message => Assert.Equal(message, Wire.Read(Wire.Write(message))));
    }

    [Fact]
    public void Write_MessageAboveTheLimit_Throws()
    {
        var overhead = MessageWriter.Measure(new NewTask(new("T")) { Payload = Value(10) }) - 10;
        var longest = new NewTask(new("T")) { Payload = Value(ProtocolLimits.MaxMessageBytes - overhead) };
        Assert.Equal(longest, Wire.Read(Wire.Write(longest)));

        var tooLong = longest with { Payload = Value(ProtocolLimits.MaxMessageBytes - overhead + 1) };
        Assert.Equal(ProtocolLimits.MaxMessageBytes + 1, MessageWriter.Measure(tooLong));
        Assert.Equal("A new_task of 65537 bytes is longer than 65536 bytes.", Assert.Throws<InvalidOperationException>(() => Wire.Write(tooLong)).Message);
    }

    [Fact]
    public void Write_QueryWithoutUser_Throws() => Assert.Throws<ArgumentException>(() => Wire.Write(new NewTask(TaskType.Query)));

    [Fact]
    public void Write_EmptyValue_IsNotWritten() => Assert.Equal("""{"TASK": "T"}""", Wire.Write(new NewTask(new("T")) { Payload = default(RawJson) }));

    [Fact]
    public void Measure_AnyMessage_IsTheLengthThatIsWritten() => MessageGen.Any.Sample(message => Assert.Equal(Wire.Bytes(message).Length, MessageWriter.Measure(message)));

    /// <summary>Returns a value of this length in bytes.</summary>
    private static RawJson Value(int length) => RawJson.Copy(Encoding.UTF8.GetBytes(length < 2 ? "1" : $"\"{new string('x', length - 2)}\""));
}
