#pragma warning disable ASPIREINTERACTION001 // InteractionInput is experimental.

using Aspire.Hosting;
using Aspire.Hosting.ApplicationModel;
using Mesh.Tests.Fixtures;
using StackExchange.Redis;

namespace Mesh.Tests.Integration.AppHost;

/// <summary>The AppHost with Garnet, as on a machine that has only the SDK.</summary>
[Trait("Speed", "Slow")]
public sealed class GarnetAppHostTests(GarnetMeshApp mesh) : AppHostContract(mesh), IClassFixture<GarnetMeshApp>
{
    private readonly GarnetMeshApp _mesh = mesh;

    [Fact]
    public async Task Redis_ConcurrentScripts_ServesAll()
    {
        var (key, address) = (RedisFixture.Unique("count"), await _mesh.ConnectionStringAsync());
        var counts = await Task.WhenAll(Enumerable.Range(0, 32).Select(_ => IncrementAsync()))
            .OrFailAsync("640 scripts");
        Assert.Equal(32 * 20, counts.Max());

        async Task<long> IncrementAsync()
        {
            await using var connection = await ConnectionMultiplexer.ConnectAsync(address);
            var count = 0L;
            for (var i = 0; i < 20; i++)
            {
                count = (long)await connection.GetDatabase().ScriptEvaluateAsync("return redis.call('INCR', KEYS[1])", [key]);
            }

            return count;
        }
    }

    [Fact]
    public async Task Wave_OfTheCommand_IsAcceptedAndDone()
    {
        var user = RedisFixture.Unique("ada");
        await _mesh.A.SetBalanceAsync(user, 0);
        var result = await ExecuteAsync("submit-wave", ("tasks", "30"), ("type", "UPDATE"), ("user", user), ("amount", "1.5"));
        Assert.Equal((true, "30 UPDATE tasks were accepted."), (result.Success, result.Message));
        await _mesh.AtRestAsync();
        Assert.Equal(45m, await _mesh.A.BalanceAsync(user));
    }

    [Theory]
    [InlineData("0", "QUERY", "Maria", "1")]
    [InlineData("10001", "QUERY", "Maria", "1")]
    [InlineData("many", "QUERY", "Maria", "1")]
    [InlineData("1", "NO_TASK", "Maria", "1")]
    [InlineData("1", "QUERY", " ", "1")]
    [InlineData("1", "UPDATE", "Maria", "much")]
    public async Task Wave_WithAWrongArgument_IsNotSubmitted(string tasks, string type, string user, string amount)
    {
        var before = await _mesh.A.StatusAsync();
        var result = await ExecuteAsync("submit-wave", ("tasks", tasks), ("type", type), ("user", user), ("amount", amount));
        Assert.False(result.Success);
        var after = await _mesh.A.StatusAsync();
        Assert.Equal(((int)before["done"]!, (int)before["dead"]!, 0, 0), ((int)after["done"]!, (int)after["dead"]!, (int)after["queue"]!, (int)after["running"]!));
        var other = await _mesh.B.StatusAsync();
        Assert.Equal((0, 0), ((int)other["queue"]!, (int)other["running"]!));
    }

    [Fact]
    public async Task Server_PausedAndResumedByCommands_TakesTasksAgain()
    {
        var paused = await ExecuteAsync("pause");
        Assert.True(paused.Success, paused.Message);
        Assert.StartsWith("Paused.", paused.Message, StringComparison.Ordinal);
        var refused = await ExecuteAsync("submit-wave", ("tasks", "1"), ("type", "QUERY"), ("user", "Maria"), ("amount", "1"));
        Assert.False(refused.Success);
        Assert.Contains("paused", refused.Message, StringComparison.Ordinal);
        var resumed = await ExecuteAsync("resume");
        Assert.True(resumed.Success, resumed.Message);
        await _mesh.A.SubmitAsync(new { type = "QUERY", user = "nobody" });
    }

    [Fact]
    public async Task BorrowedWorkers_ReturnedByCommand_GoHomeAlthoughTasksWait()
    {
        Assert.Equal("No worker is borrowed.", (await ExecuteAsync("return-workers")).Message);
        await _mesh.AtRestAsync();

        // After that command the server borrows again when its queue has been short for a while. The load goes on until a worker is lent.
        var user = RedisFixture.Unique("lin");
        await _mesh.A.SetBalanceAsync(user, 0);
        var (_, guest) = await BorrowAsync(user);
        for (var i = 0; i < 8; i++)
        {
            await _mesh.A.SubmitAsync(Updates(user, 60));
        }

        var result = await ExecuteAsync("return-workers");
        Assert.True(result.Success, result.Message);
        Assert.StartsWith("Returned ", result.Message, StringComparison.Ordinal);
        Assert.Contains(guest, result.Message, StringComparison.Ordinal);

        await _mesh.B.StatusAsync("the guest is home", status => MeshApp.IdleAtHome(status).Contains(guest) && !MeshTests.Loans(status).Any(), _mesh.A);
        Assert.True((int)(await _mesh.A.StatusAsync())["queue"]! > 15);
    }

    private Task<ExecuteCommandResult> ExecuteAsync(string command, params (string Name, string Value)[] arguments) => _mesh.App.ResourceCommands.ExecuteCommandAsync(
        "server-a", command, new InteractionInputCollection([.. arguments.Select(one => new InteractionInput { Name = one.Name, Value = one.Value, InputType = InputType.Text })]), Cancelled);

    protected override async Task KillRedisAsync() => await (await ReplicaProcess.OfAsync(_mesh.App, "redis", 1)).Single().KillAsync(_mesh.App);
}

/// <summary>The AppHost with a Redis container. Skipped where no container runtime is running. It runs alone, because a browser cancels its requests when a container's network starts.</summary>
[Collection(SequentialTests.Name)]
[Trait("Speed", "Slow")]
public sealed class ContainerAppHostTests(ContainerMeshApp mesh) : AppHostContract(mesh), IClassFixture<ContainerMeshApp>
{
    private readonly ContainerMeshApp _mesh = mesh;

    protected override Task KillRedisAsync() => RedisContainer.KillAsync(_mesh.App);
}
