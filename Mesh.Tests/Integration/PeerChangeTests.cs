using System.Globalization;
using System.Text.Json;
using Mesh.Tests.Fixtures;

namespace Mesh.Tests.Integration;

/// <summary>A third server joins a running mesh and leaves it, with servers and workers as processes.</summary>
[Trait("Speed", "Slow")]
public sealed class PeerChangeTests(RedisFixture redis)
{
    [Fact]
    public async Task ThirdServer_AddedToTheSettingsFile_LendsUntilItIsRemoved()
    {
        var (a, b, c) = (RedisFixture.Unique("server-a"), RedisFixture.Unique("server-b"), RedisFixture.Unique("server-c"));
        var (portA, portB, portC) = (RedisProcess.FreePort(), RedisProcess.FreePort(), RedisProcess.FreePort());
        var content = Directory.CreateTempSubdirectory("mesh-peers-");
        try
        {
            await WritePeersAsync(content, (b, portB));
            await using var borrower = await MeshProcess.ServerAsync(redis, a, portA, environment: new() { ["ASPNETCORE_CONTENTROOT"] = content.FullName });
            await using var second = await MeshProcess.ServerAsync(redis, b, portB, [(a, portA)]);
            await using var third = await MeshProcess.ServerAsync(redis, c, portC, [(a, portA)]);
            var slow = new Dictionary<string, string> { ["WorkTime"] = "00:00:00.050" };
            await using var own = await MeshProcess.WorkerAsync(redis, "own", borrower, slow);
            await using var guest1 = await MeshProcess.WorkerAsync(redis, "guest1", third, slow);
            await using var guest2 = await MeshProcess.WorkerAsync(redis, "guest2", third, slow);
            MeshProcess[] all = [borrower, second, third, own, guest1, guest2];
            await third.StatusAsync("both workers are there", status => MeshTests.Workers(status).Count() == 2, all);
            await borrower.SubmitAsync([.. Enumerable.Range(0, 5000).Select(_ => (object)new { type = "QUERY", user = "x" })]);
            await borrower.StatusAsync("tasks are done without a loan", status => (int)status["done"]! + (int)status["dead"]! > 5 && !MeshTests.Loans(status).Any(), all);

            await WritePeersAsync(content, (b, portB), (c, portC));
            await borrower.StatusAsync("a worker of the third server is here", status => MeshTests.Loans(status).Any(loan => (string)loan["owner"]! == c && (string)loan["state"]! == "arrived"), all);

            await WritePeersAsync(content, (b, portB));
            await borrower.StatusAsync("the third server is forgotten", status => !MeshTests.Loans(status).Any() && status["peers"]!.AsArray().Count == 1, all);
            await third.StatusAsync(
                "both workers are home again",
                status => !MeshTests.Loans(status).Any() && MeshTests.Workers(status).Count(worker => (string)worker["state"]! == "idle") == 2,
                all);
            Assert.True((int)(await borrower.StatusAsync())["queue"]! > 15);

            // A file that cannot be read does not remove the other peer.
            await File.WriteAllTextAsync(Path.Combine(content.FullName, "appsettings.json"), "{\"Mesh\": {", TestContext.Current.CancellationToken);
            await Eventually.HoldsAsync("the log names the file", () => borrower.Everything.Contains("appsettings.json cannot be read", StringComparison.Ordinal), details: () => borrower.Output);
            Assert.Single((await borrower.StatusAsync())["peers"]!.AsArray());
        }
        finally
        {
            content.Delete(recursive: true);
        }
    }

    private static Task WritePeersAsync(DirectoryInfo content, params (string Id, int Port)[] peers) => File.WriteAllTextAsync(
        Path.Combine(content.FullName, "appsettings.json"),
        JsonSerializer.Serialize(new { Mesh = new { Peers = peers.Select(peer => new { peer.Id, Endpoint = string.Create(CultureInfo.InvariantCulture, $"127.0.0.1:{peer.Port}") }) } }),
        TestContext.Current.CancellationToken);
}
