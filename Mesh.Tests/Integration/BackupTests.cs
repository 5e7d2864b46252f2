using System.Net;
using Mesh.Tests.Fixtures;
using Mesh.Tests.Publishing;

namespace Mesh.Tests.Integration;

/// <summary>docs/operations.md, "Backup": the shell blocks of that section, run against a redis-server with an append-only file.</summary>
[Trait("Speed", "Slow")]
public sealed class BackupTests : IDisposable
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    private readonly string _directory = Directory.CreateTempSubdirectory("mesh-backup-").FullName;

    [Theory]
    [InlineData("Back up the append-only file", "Restore the append-only file")]
    [InlineData("Back up a snapshot", "Restore a snapshot")]
    public async Task Redis_RestoredFromABackup_HasTasksAndBalancesOfThatMoment(string backUp, string restore)
    {
        RedisProcess.SkipUnlessThere(RedisKind.Redis);
        var (data, backup) = (Created("data"), Created("backup"));
        await using (var redis = await StartAsync(data))
        {
            await using var server = await MeshProcess.ServerAsync(redis.ConnectionString, "server-a", RedisProcess.FreePort());
            await server.SetBalanceAsync("maria", 5);
            await server.SubmitAsync(new { type = "QUERY", user = "maria", id = "before" });
            await RunAsync(redis, backUp, data, backup);
            await server.SetBalanceAsync("maria", 6);
            await server.SubmitAsync(new { type = "QUERY", user = "maria", id = "after" });
        }

        var restored = Created("restored");
        if (restore == "Restore a snapshot")
        {
            await using var redis = await StartAsync(restored, () => File.Copy(Path.Combine(backup, "dump.rdb"), Path.Combine(restored, "dump.rdb")), "--appendonly", "no");
            await RunAsync(redis, restore, restored, backup);
        }
        else
        {
            await RunAsync(null, restore, restored, backup);
        }

        await using var again = await StartAsync(restored);
        await using var next = await MeshProcess.ServerAsync(again.ConnectionString, "server-a", RedisProcess.FreePort());
        Assert.Equal(5, await next.BalanceAsync("maria"));
        Assert.Equal("queued", (string)(await next.GetAsync("/tasks/before"))["state"]!);
        using var unknown = await next.Http.GetAsync(new Uri("/tasks/after", UriKind.Relative), Stop);
        Assert.Equal(HttpStatusCode.NotFound, unknown.StatusCode);
    }

    [Fact]
    public async Task Redis_StartedWithAnAppendOnlyFileAndASnapshotOnly_IgnoresTheSnapshot()
    {
        RedisProcess.SkipUnlessThere(RedisKind.Redis);
        var (data, backup, restored) = (Created("data"), Created("backup"), Created("restored"));
        await using (var redis = await StartAsync(data))
        {
            await using var server = await MeshProcess.ServerAsync(redis.ConnectionString, "server-a", RedisProcess.FreePort());
            await server.SetBalanceAsync("maria", 5);
            await RunAsync(redis, "Back up a snapshot", data, backup);
        }

        File.Copy(Path.Combine(backup, "dump.rdb"), Path.Combine(restored, "dump.rdb"));
        await using var again = await StartAsync(restored);
        await using var next = await MeshProcess.ServerAsync(again.ConnectionString, "server-a", RedisProcess.FreePort());
        using var unknown = await next.Http.GetAsync(new Uri("/accounts/maria", UriKind.Relative), Stop);
        Assert.Equal(HttpStatusCode.NotFound, unknown.StatusCode);
    }

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    /// <summary>A Redis with the settings of deploy/kubernetes/base/redis.conf, in this directory.</summary>
    private static async Task<RedisProcess> StartAsync(string data, Action? before = null, params string[] options)
    {
        before?.Invoke();
        return await RedisProcess.StartAsync(RedisKind.Redis, Stop, ["--dir", data, "--appendonly", "yes", "--appendfsync", "always", .. options]);
    }

    private static async Task RunAsync(RedisProcess? redis, string heading, string data, string backup)
    {
        await using var shell = new ShellBlocks(
            new() { ["REDIS_DATA"] = data, ["BACKUP"] = backup },
            redis is null ? "" : $"redis-cli() {{ command redis-cli -p {redis.Port} \"$@\"; }}");
        var blocks = ShellBlocks.Of("docs/operations.md", heading);
        Assert.NotEmpty(blocks);
        foreach (var block in blocks)
        {
            await shell.RunAsync(block);
        }
    }

    private string Created(string name) => Directory.CreateDirectory(Path.Combine(_directory, name)).FullName;
}
