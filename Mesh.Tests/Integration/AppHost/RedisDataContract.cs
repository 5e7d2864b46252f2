using Aspire.Hosting;
using Aspire.Hosting.ApplicationModel;
using Aspire.Hosting.Testing;
using Mesh.Tests.Fixtures;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using StackExchange.Redis;

namespace Mesh.Tests.Integration.AppHost;

/// <summary>The data of the AppHost's Redis after a crash and after a restart of the AppHost.</summary>
public abstract class RedisDataContract(string kind) : IAsyncDisposable
{
    private static readonly TimeSpan StartLimit = TimeSpan.FromMinutes(2);

    private readonly TestVolume _volume = new();
    private string _directory = "";

    [Fact]
    public async Task Redis_KilledAndStartedByAnotherRunWithAnotherPassword_HasItsData()
    {
        await RunAsync("first", async (app, redis) =>
        {
            await redis.StringSetAsync("written", "before the kill");
            await KillAsync(app);
        });
        await RunAsync("second", async (_, redis) => Assert.Equal("before the kill", await redis.StringGetAsync("written")));
    }

    public async ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        await _volume.RemoveAsync(_directory);
    }

    /// <summary>Kills the process as <c>kill -9</c> does, and waits until Aspire has noticed it.</summary>
    protected abstract Task KillAsync(DistributedApplication app);

    private async Task RunAsync(string password, Func<DistributedApplication, IDatabase, Task> use)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        limit.CancelAfter(StartLimit);
        await using var builder = await CreateAsync(password, limit.Token);
        _directory = builder.AppHostDirectory;
        foreach (var project in builder.Resources.OfType<ProjectResource>().ToList())
        {
            builder.Resources.Remove(project);
        }

        builder.Services.AddLogging(logging => logging.ClearProviders());
        builder.Services.AddSingleton(TextWriter.Null);
        await using var app = await builder.BuildAsync(limit.Token);
        await app.StartAsync(limit.Token);
        await app.ResourceNotifications.WaitForResourceHealthyAsync("redis", limit.Token);
        var address = (await app.GetConnectionStringAsync("redis", limit.Token))!;
        Assert.EndsWith($",password={password}", address, StringComparison.Ordinal);
        await using (var connection = await ConnectionMultiplexer.ConnectAsync(address))
        {
            await use(app, connection.GetDatabase());
        }

        await app.StopAsync(limit.Token);
    }

    private async Task<IDistributedApplicationTestingBuilder> CreateAsync(string password, CancellationToken cancellationToken)
    {
        try
        {
            return await DistributedApplicationTestingBuilder.CreateAsync<Projects.MeshAspire_AppHost>(
                [$"--Mesh:Redis={kind}", $"--Mesh:RedisVolume={_volume.Name}", $"--Parameters:redis-password={password}"], cancellationToken);
        }
        catch (DistributedApplicationException fault)
        {
            Assert.Skip(fault.Message);
            throw;
        }
    }
}

[Trait("Speed", "Slow")]
public sealed class GarnetRedisDataTests() : RedisDataContract("garnet")
{
    protected override async Task KillAsync(DistributedApplication app) => await (await ReplicaProcess.OfAsync(app, "redis", 1)).Single().KillAsync(app);
}

/// <summary>Skipped where no container runtime is running.</summary>
[Collection(SequentialTests.Name)]
[Trait("Speed", "Slow")]
public sealed class ContainerRedisDataTests() : RedisDataContract("container")
{
    protected override Task KillAsync(DistributedApplication app) => RedisContainer.KillAsync(app);
}
