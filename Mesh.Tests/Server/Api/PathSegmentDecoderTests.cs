using System.Net;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using CsCheck;
using Mesh.Protocol;

namespace Mesh.Tests.Server.Api;

/// <summary>Each id and user name that a submission accepts is found at its percent-encoded path, over real HTTP.</summary>
[Trait("Speed", "Slow")]
public sealed class PathSegmentDecoderTests
{
    private const int Parallelism = 8;

    private static readonly string[] Odd =
    [
        "a/b", "/", "//", "/a", "a/", "a//b", "a/../b", "../..", "a/..", "../a", "./.", "...", "a%2Fb", "a%2fb", "%2F", "%252F", "%", "%%", "%2", "%zz", "%FF", "%C3%A3", "%00", "%2E%2E", "a b", " ", "  ",
        "a+b", "+", "a?b", "?", "a#b", "#", "a&b=c", "a;b", "a:b", "http://h/x", "a\\b", "\\", "\\..\\", "..\\", "@", "*", "{id}", "retry", "tasks", "~", "joão", "jo\u0061\u0303o", "\U0001F600", "\u202Eabc\u200E",
        "\uFEFF", "\uFFFD", "\uFFFF", "\uE000", "\U0010FFFF", "\"", "'", "<a>", "null", "\u00A0", "\u2028", "\u2044", "\uFF0F", "\u0130",
    ];

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Names_OfOddCharacters_AreFoundByTheirEncodedPath()
    {
        await using var server = await TestServer.StartAsync();

        await AssertFoundAsync(server, [.. Odd]);
    }

    [Fact]
    public async Task Names_OfEveryAsciiCharacterAndPair_AreFoundByTheirEncodedPath()
    {
        await using var server = await TestServer.StartAsync();
        var ascii = Enumerable.Range(' ', '\x7f' - ' ').Select(code => $"{(char)code}").ToArray();

        await AssertFoundAsync(server, [.. ascii.Concat(ascii.SelectMany(one => new[] { "/", "%", ".", "%2" }.SelectMany(other => new[] { one + other, other + one, $"x{one}{other}y" }))).Except([".", ".."])]);
    }

    [Fact]
    public async Task Names_OfAllUnicode_AreFoundByTheirEncodedPath()
    {
        await using var server = await TestServer.StartAsync();

        // Every character of the basic plane and one in a hundred of the others, several in each name.
        var runes = Enumerable.Range(' ', 0x10FFFF - ' ' + 1).Where(code => (code < 0x10000 || code % 101 == 0) && Rune.IsValid(code)).Select(code => new Rune(code)).Where(rune => !Rune.IsControl(rune));
        await AssertFoundAsync(server, [.. runes.Chunk(30).Select(some => string.Concat(some))]);
    }

    [Fact]
    public async Task Names_Random_AreFoundByTheirEncodedPath()
    {
        await using var server = await TestServer.StartAsync();
        string[] special = ["/", "%", ".", "2", "F", "E", "\\", "?", "#", " ", "+"];
        var character = Gen.Frequency(
            (3, Gen.Int[0, special.Length - 1].Select(at => special[at])),
            (1, Gen.Int[' ', 0x10FFFF].Where(code => Rune.IsValid(code) && !Rune.IsControl(new Rune(code))).Select(code => new Rune(code).ToString())));
        var name = character.Array[1, 12].Select(string.Concat).Where(text => text is not ("." or ".."));

        await name.Array[50].SampleAsync(names => AssertFoundAsync(server, [.. names.Distinct()]), iter: 20, threads: 1);
    }

    [Theory]
    [InlineData("id", ".")]
    [InlineData("id", "..")]
    [InlineData("user", ".")]
    [InlineData("user", "..")]
    public async Task Submit_NameInvalidInPath_Is400NamingTheField(string field, string name)
    {
        await using var server = await TestServer.StartAsync();
        var task = new Dictionary<string, string> { ["type"] = "QUERY", ["user"] = "maria", ["id"] = "order-1", [field] = name };

        var answer = await server.PostAsync("/tasks", JsonSerializer.Serialize(task));

        Assert.Equal(HttpStatusCode.BadRequest, answer.StatusCode);
        Assert.Equal(field, (await answer.Content.ReadFromJsonAsync<JsonElement>(Stop)).GetProperty("field").GetString());
    }

    [Fact]
    public async Task Account_WithASlash_IsThatOfTheTasksUser()
    {
        await using var server = await TestServer.StartAsync();

        Assert.Equal(HttpStatusCode.Created, (await server.PutAsync("/accounts/a%2Fb", """{"balance":1}""")).StatusCode);
        Assert.Equal(HttpStatusCode.Created, (await server.PutAsync("/accounts/a%252Fb", """{"balance":2}""")).StatusCode);

        Assert.Equal("a/b", (await server.GetJsonAsync("/accounts/a%2fb?x=%2F")).GetProperty("user").GetString());
        Assert.Equal("a%2Fb", (await server.GetJsonAsync("/accounts/a%252Fb")).GetProperty("user").GetString());
        Assert.Equal(HttpStatusCode.NotFound, (await server.GetAsync("/accounts/a/b")).StatusCode);
    }

    [Theory]
    [InlineData("GET /x/%2e%2E/./tasks/a%2Fb?y=/ HTTP/1.1")]
    [InlineData("GET /tasks/a%2Fb/ HTTP/1.1")]
    public async Task Target_OfAnotherForm_NamesTheSame(string requestLine)
    {
        await using var server = await TestServer.StartAsync();
        await server.SubmitAsync("""{"type":"QUERY","user":"maria","id":"a/b"}""");
        using var socket = await server.ConnectAsync();
        await using var stream = new System.Net.Sockets.NetworkStream(socket);

        await stream.WriteAsync(Encoding.ASCII.GetBytes($"{requestLine}\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n"), Stop);
        using var reader = new StreamReader(stream);
        var answer = await reader.ReadToEndAsync(Stop);

        Assert.StartsWith("HTTP/1.1 200 ", answer, StringComparison.Ordinal);
        Assert.Contains("\"id\":\"a/b\"", answer, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Retry_OfADeadLetterWithAnOddId_IsAccepted()
    {
        await using var server = await TestServer.StartAsync(("Mesh:Tasks:MaxAttempts", "1"));
        await using var worker = await server.DialAsync(Framing.WebSocket);
        foreach (var id in new[] { "a/b", "%2F", "a/../b" })
        {
            await server.SubmitAsync(JsonSerializer.Serialize(new { type = "QUERY", user = "maria", id }));
            worker.TrySend(new GetTask(new WorkerId("w1")));
            worker.TrySend(new Mesh.Protocol.TaskStatus(TaskOutcome.Nok, TaskType.Query, new WorkerId("w1")) { Id = (await worker.ReceiveAsync<NewTask>()).Id });
            await worker.ReceiveAsync<Ack>();

            var path = $"/tasks/{Uri.EscapeDataString(id)}";
            await server.TaskAsync(Uri.EscapeDataString(id), "dead");
            Assert.Equal(HttpStatusCode.Accepted, (await server.PostAsync($"{path}/retry", "")).StatusCode);
            worker.TrySend(new GetTask(new WorkerId("w1")));
            worker.TrySend(new Mesh.Protocol.TaskStatus(TaskOutcome.Ok, TaskType.Query, new WorkerId("w1")) { Id = (await worker.ReceiveAsync<NewTask>()).Id, Result = RawJson.Of(1) });
            await worker.ReceiveAsync<Ack>();
            Assert.Equal("done", (await server.GetJsonAsync(path)).GetProperty("state").GetString());
        }
    }

    private static async Task AssertFoundAsync(TestServer server, string[] names)
    {
        var answer = await server.PostAsync("/tasks", JsonSerializer.Serialize(names.Select(name => new { type = "QUERY", user = name, id = name })));
        Assert.True(answer.StatusCode == HttpStatusCode.Accepted, await answer.Content.ReadAsStringAsync(Stop));

        await Parallel.ForEachAsync(names, new ParallelOptions { MaxDegreeOfParallelism = Parallelism, CancellationToken = Stop }, async (name, _) =>
        {
            var encoded = Uri.EscapeDataString(name);
            using var put = await server.PutAsync($"/accounts/{encoded}", """{"balance":1}""");
            Assert.True(put.IsSuccessStatusCode, $"PUT of the account {Codes(name)}: {put.StatusCode}");
            Assert.Equal(name, await NameAsync(put, "user"));
            using var account = await server.GetAsync($"/accounts/{encoded}");
            Assert.Equal(name, await NameAsync(account, "user"));
            using var task = await server.GetAsync($"/tasks/{encoded}");
            Assert.True(task.IsSuccessStatusCode, $"GET of the task {Codes(name)}: {task.StatusCode}");
            Assert.Equal(name, await NameAsync(task, "id"));

            // The task exists and is not a dead letter.
            using var retry = await server.PostAsync($"/tasks/{encoded}/retry", "");
            Assert.True(retry.StatusCode == HttpStatusCode.Conflict, $"Retry of the task {Codes(name)}: {retry.StatusCode}");
        });
    }

    private static async Task<string?> NameAsync(HttpResponseMessage answer, string property) =>
        (await answer.Content.ReadFromJsonAsync<JsonElement>(Stop)).GetProperty(property).GetString();

    private static string Codes(string name) => string.Join(' ', name.EnumerateRunes().Select(rune => $"{rune.Value:X4}"));
}
