using System.Net;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using CsCheck;
using Mesh.Protocol;
using Mesh.Tests.Protocol;
using Mesh.Transport;
using TaskStatus = Mesh.Protocol.TaskStatus;

namespace Mesh.Tests.Server.Api;

/// <summary>docs/protocol.md, "Tasks of any type": a payload and a result stay as they were written, except for the white space between their tokens.</summary>
public sealed class PayloadTests
{
    private const int MaxPayloadBytes = 32 * 1024;

    private static readonly WorkerId Worker = new("w1");
    private static readonly TaskTypeSet Types = TaskTypeSet.Of(TaskType.Parse("ECHO")!.Value);

    public static TheoryData<Framing, string> Values => new(
        from framing in new[] { Framing.WebSocket, Framing.Line }
        from json in new[]
        {
            "1", "\"\"", "{}", "[]", "true", "0.1e-400", "1e400", "-0.0", "1234567890123456789012345678901234567890.5", "\"\\ud800\"", "\"\\u0000\\/\"",
            "{\"a\":1,\"a\":2}", new string('[', ProtocolLimits.MaxValueDepth) + new string(']', ProtocolLimits.MaxValueDepth), $"\"{new string('x', MaxPayloadBytes - 2)}\"",
        }
        select (framing, json));

    [Theory]
    [MemberData(nameof(Values))]
    public async Task Payload_OfAnyKind_ArrivesAndReturnsUnchanged(Framing framing, string json)
    {
        await using var server = await TestServer.StartAsync();
        Assert.Equal((json, json), await EchoAsync(server, framing, json));
    }

    [Theory]
    [InlineData(Framing.WebSocket)]
    [InlineData(Framing.Line)]
    public async Task Payload_WithEveryCharacter_ArrivesAndReturnsUnchanged(Framing framing)
    {
        await using var server = await TestServer.StartAsync();
        var characters = Enumerable.Range(0x20, 0x10FFFF - 0x20 + 1).Where(rune => Rune.IsValid(rune) && rune is not ('"' or '\\')).Select(rune => new Rune(rune).ToString());
        foreach (var chunk in characters.Chunk(8_000))
        {
            var json = $"\"{string.Concat(chunk)}\"";
            Assert.Equal((json, json), await EchoAsync(server, framing, json));
        }
    }

    [Theory]
    [InlineData(Framing.WebSocket)]
    [InlineData(Framing.Line)]
    public async Task Payload_WithWhiteSpace_LosesOnlyThat(Framing framing)
    {
        await using var server = await TestServer.StartAsync();
        await JsonGen.Spaced.SampleAsync(
            async json =>
            {
                var tokens = string.Concat(json.Tokens);

                // A null is an absent payload.
                if (tokens != "null")
                {
                    Assert.Equal((tokens, tokens), await EchoAsync(server, framing, json.Text));
                }
            },
            iter: 100,
            threads: 1);
    }

    [Theory]
    [InlineData(MaxPayloadBytes + 1, HttpStatusCode.RequestEntityTooLarge)]
    [InlineData(MaxPayloadBytes, HttpStatusCode.Accepted)]
    public async Task Payload_AtTheLimit_IsAcceptedAndBeyondItRefused(int bytes, HttpStatusCode status)
    {
        await using var server = await TestServer.StartAsync();
        using var answer = await server.PostAsync("/tasks", Body($" \"{new string('x', bytes - 2)}\" "));
        Assert.Equal(status, answer.StatusCode);
        if (status != HttpStatusCode.Accepted)
        {
            var problem = await answer.Content.ReadFromJsonAsync<JsonElement>(TestContext.Current.CancellationToken);
            Assert.Equal("payload", problem.GetProperty("field").GetString());
            Assert.Contains("Mesh__Tasks__MaxPayloadBytes", problem.GetProperty("detail").GetString(), StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task Payload_NestedTooDeep_IsRefused()
    {
        await using var server = await TestServer.StartAsync();
        using var answer = await server.PostAsync("/tasks", Body(new string('[', ProtocolLimits.MaxValueDepth + 1) + new string(']', ProtocolLimits.MaxValueDepth + 1)));
        Assert.Equal(HttpStatusCode.BadRequest, answer.StatusCode);
        Assert.Equal("payload", (await answer.Content.ReadFromJsonAsync<JsonElement>(TestContext.Current.CancellationToken)).GetProperty("field").GetString());
    }

    private static string Body(string payload) => $$"""{"type":"ECHO","payload":{{payload}}}""";

    /// <summary>Submits a task whose worker returns its payload. Returns the payload that the worker received, and the result that GET /tasks/{id} returns.</summary>
    private static async Task<(string Payload, string Result)> EchoAsync(TestServer server, Framing framing, string json)
    {
        var id = await server.SubmitAsync(Body(json));
        await using var asking = await server.DialAsync(framing);
        asking.TrySend(new GetTask(Worker) { Tasks = Types });
        var task = await asking.ReceiveAsync<NewTask>();
        await using var reporting = framing == Framing.Line ? await server.DialAsync(framing) : null;
        await ReportAsync(reporting ?? asking, task);
        var found = await server.Http.GetStringAsync(new Uri($"/tasks/{id}", UriKind.Relative), TestContext.Current.CancellationToken);
        using var document = JsonDocument.Parse(found, new JsonDocumentOptions { MaxDepth = ProtocolLimits.MaxValueDepth + 1 });
        return (task.Payload!.Value.ToString(), document.RootElement.GetProperty("result").GetRawText());
    }

    private static async Task ReportAsync(MeshConnection connection, NewTask task)
    {
        connection.TrySend(new TaskStatus(TaskOutcome.Ok, task.Type, Worker) { Id = task.Id, Result = task.Payload });
        Assert.Equal(task.Id, (await connection.ReceiveAsync<Ack>()).Id);
    }
}
