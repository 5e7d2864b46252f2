using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Mesh.Tests.Fixtures;

namespace Mesh.Tests.Integration;

/// <summary>docs/architecture.md, "State in Redis": a process that waits for its id is alive and takes nothing.</summary>
[Trait("Speed", "Slow")]
public sealed class WaitingServerTests(RedisFixture redis)
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task SecondServer_WhileItWaitsForItsId_IsAliveAndNotHealthyAndRefusesTasks()
    {
        var id = RedisFixture.Unique("server");
        await using var first = await MeshProcess.ServerAsync(redis, id, RedisProcess.FreePort());
        await using var second = MeshProcess.StartServer(await redis.ConnectionStringAsync(), id, RedisProcess.FreePort());
        await Eventually.HoldsAsync("it waits", () => second.Output.Contains("serves under the id", StringComparison.Ordinal), details: () => second.Output);

        Assert.Equal((HttpStatusCode.OK, "Healthy"), await AskAsync("/alive"));
        Assert.Equal((HttpStatusCode.ServiceUnavailable, "Unhealthy"), await AskAsync("/health"));
        using var refused = await second.PostAsync(new { type = "QUERY", user = "x" });
        Assert.Equal(HttpStatusCode.ServiceUnavailable, refused.StatusCode);
        Assert.NotNull(refused.Headers.RetryAfter);
        var detail = (await refused.Content.ReadFromJsonAsync<JsonElement>(Stop)).GetProperty("detail").GetString();
        Assert.Contains($"\"{id}\"", detail, StringComparison.Ordinal);
        Assert.Contains("This server is starting: it waits for ", detail, StringComparison.Ordinal);

        async Task<(HttpStatusCode Status, string Body)> AskAsync(string path)
        {
            using var answer = await second.Http.GetAsync(new Uri(path, UriKind.Relative), Stop);
            return (answer.StatusCode, await answer.Content.ReadAsStringAsync(Stop));
        }
    }
}
