using System.Net;
using System.Net.Http.Headers;
using System.Text;
using Mesh.Tests.Fixtures;
using Mesh.Tests.Integration.Telemetry;

namespace Mesh.Tests.Integration;

/// <summary>Real processes with secrets, at the log level Trace. Their output and their exports contain no secret.</summary>
[Collection(SequentialTests.Name)]
[Trait("Speed", "Slow")]
public sealed class SecretTests
{
    private const string Token = "token-7hJq2LxW9vRt";
    private const string WrongToken = "wrong-token-4KdYp8sB";
    private const string Password = "password-m3ZcT6nQ";

    private static readonly Dictionary<string, string> Talkative = new()
    {
        ["Logging__LogLevel__Default"] = "Trace",
        ["Logging__LogLevel__Microsoft"] = "Trace",
        ["Logging__LogLevel__Microsoft.AspNetCore"] = "Trace",
        ["Logging__LogLevel__System"] = "Trace",
        ["Logging__LogLevel__StackExchange.Redis"] = "Trace",
    };

    [Fact]
    public async Task Secrets_OfServersAndWorkers_AreNotInLogsSpansOrMetrics()
    {
        await using var redis = await RedisProcess.StartAsync(Password, TestContext.Current.CancellationToken);
        await using var receiver = await SpanReceiver.StartAsync();
        var secret = new Dictionary<string, string> { ["Token"] = Token };
        var (portA, portB) = (RedisProcess.FreePort(), RedisProcess.FreePort());
        await using var a = await MeshProcess.ServerAsync(redis.ConnectionString, "server-a", portA, [("server-b", portB)], secret, Environment(receiver, "a"));
        await using var b = await MeshProcess.ServerAsync(redis.ConnectionString, "server-b", portB, [("server-a", portA)], secret, Environment(receiver, "b"));
        await using var worker = MeshProcess.Worker(redis.ConnectionString, "w1", a.Id, a.Port, secret, Environment(receiver, "worker"));
        await using var stranger = MeshProcess.Worker(redis.ConnectionString, "w2", a.Id, a.Port, new() { ["Token"] = WrongToken }, Environment(receiver, "stranger"));

        a.Http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", WrongToken);
        Assert.Equal(HttpStatusCode.Unauthorized, (await a.Http.GetAsync(new Uri("/status", UriKind.Relative), TestContext.Current.CancellationToken)).StatusCode);
        a.Http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", Token);
        await a.SetBalanceAsync("maria", 1);
        await a.SubmitAsync(new { type = "UPDATE", user = "maria", amount = 1 });
        await a.StatusAsync("the task is done and the peer is alive", status => (int)status["done"]! == 1 && (bool)status["peers"]![0]!["alive"]!, b, worker);
        await Eventually.HoldsAsync("the refused worker says so", () => stranger.Output.Contains("401", StringComparison.Ordinal), details: () => stranger.Output);

        // A process that stops exports what it has collected.
        foreach (var process in new[] { worker, stranger, a, b })
        {
            Assert.Equal(0, await process.StopAsync());
        }

        AssertExported("/v1/logs", "a", "b", "worker", "stranger");
        AssertExported("/v1/metrics", "a", "b", "worker", "stranger");
        AssertExported("/v1/traces", "a", "worker");

        void AssertExported(string path, params string[] services) => Assert.All(
            services, service => Assert.Contains(receiver.Exports, export => export.Path == path && export.Body.AsSpan().IndexOf(ServiceName(service)) >= 0));

        string[] outputs = [a.Everything, b.Everything, worker.Everything, stranger.Everything];
        Assert.All(outputs, output => Assert.Contains("dbug", output, StringComparison.Ordinal));
        foreach (var text in new[] { Token, WrongToken, Password })
        {
            Assert.All(outputs, output => Assert.DoesNotContain(text, output, StringComparison.Ordinal));
            var bytes = Encoding.UTF8.GetBytes(text);
            Assert.DoesNotContain(receiver.Exports, export => export.Body.AsSpan().IndexOf(bytes) >= 0);
        }
    }

    /// <summary>The resource attribute with the name of a service, as protobuf encodes it: its key, and the tags and lengths of the value and of the text in it.</summary>
    private static byte[] ServiceName(string text) => [.. "service.name"u8, 0x12, (byte)(text.Length + 2), 0x0A, (byte)text.Length, .. Encoding.UTF8.GetBytes(text)];

    private static Dictionary<string, string> Environment(SpanReceiver receiver, string name) => new(receiver.Environment(name).Concat(Talkative));
}
