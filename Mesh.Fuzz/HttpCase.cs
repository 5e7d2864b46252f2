using System.Globalization;
using System.Net;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace Mesh.Fuzz;

/// <summary>Sends one HTTP request with a bad body or a bad path.</summary>
internal static class HttpCase
{
    private static readonly HashSet<int> Good = [200, 201, 202, 204, 400, 404, 405, 409, 413, 415, 429];

    private static readonly string[] Operations = ["/pause", "/resume", "/loans/return"];

    private static readonly (string Name, Func<Random, JsonNode?> Bad)[] TaskFaults =
    [
        ("type", _ => null), ("type", _ => 1), ("type", _ => "NO_TASK"), ("user", _ => null), ("user", _ => ""), ("user", _ => 7), ("user", _ => new string('x', 5000)),
        ("amount", _ => "12"), ("amount", _ => -1), ("amount", _ => JsonNode.Parse("1e40")), ("amount", _ => JsonNode.Parse("0.00001")), ("id", _ => ""),
        ("id", _ => new string('x', 129)), ("id", _ => "a\u0001b"), ("id", _ => new JsonArray()), ("Amount", _ => 1),
        ("extra", _ => new JsonArray(1, "x")),
    ];

    public static async Task RunAsync(FuzzServer server, Random random, ResponseCounter tally, CancellationToken limit)
    {
        var (method, path, body, fault) = Draw(random);
        await SendAsync(server, random, tally, (method, path, body, fault), limit);
        if (path == "/pause")
        {
            await SendAsync(server, random, tally, ("POST", "/resume", [], null), limit);
        }
    }

    private static async Task SendAsync(
        FuzzServer server, Random random, ResponseCounter tally, (string Method, string Path, byte[] Body, string? Fault) drawn, CancellationToken limit)
    {
        var (method, path, body, fault) = drawn;
        var answer = new MemoryStream();
        var request = new FeatureCollection();
        request.Set<IHttpRequestFeature>(new HttpRequestFeature
        {
            Protocol = "HTTP/1.1",
            Scheme = "http",
            Method = method,
            Path = path,
            QueryString = random.Next(4) == 0 ? $"?state={MessageTemplates.Id(random)}&limit={random.Next(-9, 2000)}" : "",
            Headers = { Host = "server", ContentType = fault is null && random.Next(4) == 0 ? "text/plain" : "application/json" },
            Body = new MemoryStream(body),
        });
        if (random.Next(2) == 0)
        {
            request.GetRequiredFeature<IHttpRequestFeature>().Headers.ContentLength = random.Next(20) == 0 ? long.MaxValue : body.Length;
        }

        request.Set<IHttpResponseFeature>(new HttpResponseFeature());
        request.Set<IHttpResponseBodyFeature>(new StreamResponseBodyFeature(answer));
        request.Set<IHttpConnectionFeature>(new HttpConnectionFeature { RemoteIpAddress = IPAddress.Parse("192.0.2.1") });

        await server.ServeHttpAsync(request).WaitAsync(limit);

        var status = request.GetRequiredFeature<IHttpResponseFeature>().StatusCode;
        tally.Count(status.ToString(CultureInfo.InvariantCulture));
        FuzzAssertionException.ThrowIf(!Good.Contains(status) && !IsPaused(method, path, status), $"{method} {path} was answered {status}");
        if (status == StatusCodes.Status400BadRequest || (fault is not null && status != StatusCodes.Status413PayloadTooLarge))
        {
            FuzzAssertionException.ThrowIf(status != StatusCodes.Status400BadRequest, $"{method} {path} was answered {status}, and {fault} was wrong");
            using var problem = JsonDocument.Parse(answer.ToArray());
            var field = problem.RootElement.TryGetProperty("field", out var named) ? named.GetString() : null;
            FuzzAssertionException.ThrowIf(string.IsNullOrEmpty(field), $"{method} {path}: the problem names no field: {problem.RootElement}");
            FuzzAssertionException.ThrowIf(fault is not null && field != fault, $"{method} {path}: the problem names {field}, and {fault} was wrong");
        }
    }

    // Another case may have paused the server, which then answers 503.
    private static bool IsPaused(string method, string path, int status) =>
        status == StatusCodes.Status503ServiceUnavailable && method == "POST" && path.StartsWith("/tasks", StringComparison.Ordinal);

    private static (string Method, string Path, byte[] Body, string? Fault) Draw(Random random)
    {
        switch (random.Next(8))
        {
            case 7:
                return (random.Next(9) == 0 ? "GET" : "POST", Operations[random.Next(Operations.Length)], Mutator.RandomBytes(random), null);
            case 0:
                return ("PUT", $"/accounts/{MessageTemplates.Id(random)}", Mutator.Mutate(random, Mutator.Write(random, new JsonObject { ["balance"] = random.Next() })), null);
            case 1:
                return (random.Next(2) == 0 ? "GET" : "POST", $"/{(random.Next(2) == 0 ? "tasks" : "accounts")}/{Uri.EscapeDataString(MessageTemplates.User(random))}/retry", [], null);
            case 6:
                return random.Next(4) switch
                {
                    0 => ("GET", "/tasks", [], null),
                    1 => (random.Next(2) == 0 ? "GET" : "DELETE", $"/schedules/{(random.Next(2) == 0 ? ScheduleName(random) : Uri.EscapeDataString(MessageTemplates.User(random)))}", [], null),
                    2 => ("PUT", $"/schedules/{MessageTemplates.Id(random)}", Mutator.RandomBytes(random), null),
                    _ => ("PUT", $"/schedules/{ScheduleName(random)}", Mutator.Mutate(random, Mutator.Write(random, Schedule(random))), null),
                };
            case 2:
                return ("POST", "/tasks", Mutator.RandomBytes(random), null);
            case 3:
                var tasks = Mutator.Write(random, Tasks(random));
                return ("POST", "/tasks", random.Next(3) == 0 ? tasks : Mutator.Mutate(random, tasks), null);
            default:
                return CorruptField(random);
        }
    }

    private static JsonArray Tasks(Random random) => [.. Enumerable.Range(0, random.Next(1, 5)).Select(_ => OneTask(random))];

    private static string ScheduleName(Random random) => $"schedule-{random.Next(5)}";

    private static JsonObject Schedule(Random random)
    {
        var task = OneTask(random);
        task.Remove("id");
        return new JsonObject { ["cron"] = "0 0 1 1 *", ["timeZone"] = random.Next(2) == 0 ? "UTC" : "Europe/Lisbon", ["task"] = task };
    }

    private static JsonObject OneTask(Random random) => new()
    {
        ["type"] = random.Next(2) == 0 ? "QUERY" : "UPDATE",
        ["user"] = "maria",
        ["amount"] = random.Next(100),
        ["id"] = $"{random.Next():x8}",
    };

    private static (string, string, byte[], string?) CorruptField(Random random)
    {
        var tasks = Tasks(random);
        var at = random.Next(tasks.Count);
        var (name, bad) = TaskFaults[random.Next(TaskFaults.Length)];
        var value = bad(random);
        var task = (JsonObject)tasks[at]!;
        if (value is null)
        {
            task.Remove(name);
        }
        else
        {
            task[name] = value;
        }

        return ("POST", "/tasks", Mutator.Write(random, tasks), $"[{at}].{name}");
    }
}
