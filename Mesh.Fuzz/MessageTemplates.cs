using System.Text.Json.Nodes;

namespace Mesh.Fuzz;

/// <summary>Creates the messages of docs/protocol.md, "Messages", with random values.</summary>
internal static class MessageTemplates
{
    private static readonly string[] Users = ["maria", "joão", "", "\u0000", "\U0001F600", "a\"b\\c", new('x', 300)];

    // Required does not contain the fields that identify a message type, because a message without them is one of another type.
    private static readonly MessageTemplate[] All =
    [
        new([FieldTemplate.Id("WORKER_UUID")], [FieldTemplate.Id("SERVER_UUID"), FieldTemplate.Types("TASKS")], ("WORKER", "ALIVE")),
        new(
            [FieldTemplate.Id("WORKER_UUID"), FieldTemplate.Type("TASK")],
            [FieldTemplate.Id("TASK_ID"), FieldTemplate.Value("RESULT"), FieldTemplate.Follow("THEN")],
            ("STATUS", "OK")),
        new(
            [FieldTemplate.Id("WORKER_UUID"), FieldTemplate.Type("TASK")],
            [FieldTemplate.Id("TASK_ID"), FieldTemplate.Text("ERROR"), FieldTemplate.Flag("HANDED_BACK"), FieldTemplate.Flag("RETRY"), FieldTemplate.Part("RETRY_AFTER", 31_536_000)],
            ("STATUS", "NOK")),
        new([FieldTemplate.Id("WORKER_UUID"), FieldTemplate.Type("TASK")], [FieldTemplate.Id("TASK_ID"), FieldTemplate.Part("PROGRESS", 1)], ("STATUS", "RUNNING")),
        new([FieldTemplate.Id("SERVER_UUID")], [FieldTemplate.Load("LOAD")], ("TASK", "HEARTBEAT")),
        new([FieldTemplate.Id("SERVER_UUID")], [FieldTemplate.Load("LOAD")], ("TASK", "HEARTBEAT"), ("RESPONSE", "ALIVE")),
        new([FieldTemplate.Address("REQUESTOR_INFO")], [FieldTemplate.Count("WORKERS_NEEDED"), FieldTemplate.Id("SERVER_UUID"), FieldTemplate.Types("TASKS")], ("TASK", "WORKER_REQUEST")),
        new([FieldTemplate.Id("SERVER_UUID"), FieldTemplate.Ids("WORKERS_UUID")], [], ("RESPONSE", "AVAILABLE")),
        new([FieldTemplate.Id("SERVER_UUID")], [], ("RESPONSE", "UNAVAILABLE")),
        new([FieldTemplate.Id("SERVER_UUID"), FieldTemplate.Ids("WORKERS_UUID")], [], ("TASK", "COMMAND_RELEASE")),
        new([FieldTemplate.Id("SERVER_UUID"), FieldTemplate.Ids("WORKERS_UUID")], [], ("RESPONSE", "RELEASE_ACK")),
        new([FieldTemplate.Id("SERVER_UUID"), FieldTemplate.Ids("WORKERS_UUID")], [], ("RESPONSE", "RELEASE_COMPLETED")),
        new([FieldTemplate.Text("USER")], [FieldTemplate.Id("TASK_ID")], ("TASK", "QUERY")),
        new([FieldTemplate.Text("USER"), FieldTemplate.Number("AMOUNT")], [FieldTemplate.Id("TASK_ID")], ("TASK", "UPDATE")),
        new([], [FieldTemplate.Id("TASK_ID"), FieldTemplate.Value("PAYLOAD"), FieldTemplate.Count("ATTEMPT")], ("TASK", "RESIZE")),
        new([FieldTemplate.Address("SERVER_REDIRECT")], [], ("TASK", "REDIRECT")),
        new([FieldTemplate.Address("SERVER_RETURN")], [], ("TASK", "RETURN")),
        new([], [FieldTemplate.Id("TASK_ID"), FieldTemplate.Flag("CANCEL")], ("STATUS", "ACK")),
        new([], [], ("TASK", "NO_TASK")),
    ];

    public static MessageTemplate Draw(Random random) => All[random.Next(All.Length)];

    public static string User(Random random) => Users[random.Next(Users.Length)];

    // The ids are few, so that messages of different cases refer to the same workers.
    public static string Id(Random random) => random.Next(4) switch
    {
        0 => "server-b",
        1 => "server-a",
        2 => $"w{random.Next(8)}",
        _ => $"{random.Next():x8}",
    };
}

/// <summary>The template of one message type.</summary>
/// <param name="Required">The fields that the message must have.</param>
/// <param name="Optional">The fields that the message may have.</param>
/// <param name="Words">The fields that identify the type, with their values.</param>
internal sealed record MessageTemplate(FieldTemplate[] Required, FieldTemplate[] Optional, params (string Name, string Value)[] Words)
{
    public JsonObject Draw(Random random)
    {
        var message = new JsonObject();
        foreach (var (name, value) in Words)
        {
            message[name] = value;
        }

        foreach (var field in Required)
        {
            message[field.Name] = field.Draw(random);
        }

        foreach (var field in Optional)
        {
            if (random.Next(2) == 0)
            {
                message[field.Name] = field.Draw(random);
            }
        }

        return message;
    }
}

/// <summary>The template of a field: its valid values, and invalid values for which the error must name the field.</summary>
internal sealed record FieldTemplate(string Name, Func<Random, JsonNode> Draw, params Func<Random, JsonNode?>[] Bad)
{
    public static FieldTemplate Id(string name) => new(
        name, random => MessageTemplates.Id(random), NotText, NotText, _ => "", _ => new string('é', 65), _ => null);

    public static FieldTemplate Text(string name) => new(name, random => MessageTemplates.User(random), NotText, _ => null);

    public static FieldTemplate Type(string name) => new(name, random => random.Next(3) switch { 0 => "QUERY", 1 => "UPDATE", _ => "RESIZE" }, NotText, _ => "NO TYPE", _ => "REDIRECT", _ => new string('x', 65));

    public static FieldTemplate Flag(string name) => new(name, random => random.Next(2) == 0, _ => "true", _ => 1, _ => new JsonArray(true));

    public static FieldTemplate Number(string name) => new(
        name, random => JsonValue.Create((decimal)random.Next(-1000, 1000) / 100), NotNumber, _ => JsonNode.Parse("1e999"), _ => JsonNode.Parse("-1e28888"));

    public static FieldTemplate Part(string name, double max) => new(name, random => random.NextDouble() * max, NotNumber, _ => JsonNode.Parse("1e999"), _ => -1, _ => max + 1);

    public static FieldTemplate Value(string name) => new(name, AnyValue, _ => Deep(65));

    public static FieldTemplate Follow(string name) => new(
        name, random => new JsonArray([.. Enumerable.Range(0, random.Next(3)).Select(_ => random.Next(2) == 0 ? Task(random) : AnyValue(random))]), NotArray, _ => Deep(65));

    public static FieldTemplate Count(string name) => new(name, random => random.Next(1, 9), NotNumber, _ => 0, _ => -1, _ => JsonNode.Parse("1.5"), _ => JsonNode.Parse("99999999999"));

    public static FieldTemplate Ids(string name) => new(
        name,
        random => new JsonArray([.. Enumerable.Range(0, random.Next(6)).Select(_ => (JsonNode)MessageTemplates.Id(random))]),
        NotArray,
        _ => new JsonArray(1),
        _ => new JsonArray("w1", null),
        _ => new JsonArray(""),
        _ => new JsonArray(new string('x', 129)));

    public static FieldTemplate Types(string name) => new(
        name,
        random => new JsonArray([.. new JsonNode[] { "QUERY", "UPDATE", "RESIZE", "NO TYPE", "REDIRECT" }.Where(_ => random.Next(2) == 0)]),
        NotArray,
        _ => new JsonArray(true),
        _ => new JsonArray([.. Enumerable.Range(0, 65).Select(i => (JsonNode)$"T{i}")]));

    public static FieldTemplate Address(string name) => new(
        name,
        _ => Endpoint("127.0.0.1", 1),
        NotObject,
        _ => new JsonObject(),
        _ => Endpoint("", 1),
        _ => Endpoint(7, 1),
        _ => Endpoint("host", 0),
        _ => Endpoint("host", 65536),
        _ => Endpoint("host", "9001"),
        _ => Endpoint(new string('x', 256), 1),
        _ => null);

    public static FieldTemplate Load(string name) => new(
        name, random => new JsonObject { ["QUEUE"] = random.Next(100), ["IDLE"] = random.Next(100) }, NotObject, _ => new JsonObject { ["QUEUE"] = -1, ["IDLE"] = 0 });

    private static JsonObject Endpoint(JsonNode host, JsonNode port) => new() { ["ip"] = host, ["port"] = port };

    private static JsonNode AnyValue(Random random) => random.Next(6) switch
    {
        0 => MessageTemplates.User(random),
        1 => JsonNode.Parse("1e400")!,
        2 => random.Next(2) == 0,
        3 => Deep(random.Next(63)),
        4 => new JsonObject { ["TASK"] = "QUERY", ["a b"] = new JsonArray(1, null, "\u2028") },
        _ => random.Next(1000),
    };

    private static JsonObject Task(Random random) => new() { ["type"] = random.Next(2) == 0 ? "QUERY" : "RESIZE", ["user"] = MessageTemplates.User(random) };

    private static JsonNode Deep(int depth)
    {
        JsonNode value = 1;
        for (var level = 0; level < depth; level++)
        {
            value = new JsonArray(value);
        }

        return value;
    }

    private static JsonNode NotText(Random random) => random.Next(4) switch
    {
        0 => 17,
        1 => true,
        2 => new JsonObject(),
        _ => new JsonArray("x"),
    };

    private static JsonNode NotNumber(Random random) => random.Next(3) switch
    {
        0 => "1",
        1 => false,
        _ => new JsonArray(1),
    };

    private static JsonNode NotObject(Random random) => random.Next(3) switch
    {
        0 => "x",
        1 => 5,
        _ => new JsonArray(),
    };

    private static JsonNode NotArray(Random random) => random.Next(3) switch
    {
        0 => "w1",
        1 => 5,
        _ => new JsonObject(),
    };
}
