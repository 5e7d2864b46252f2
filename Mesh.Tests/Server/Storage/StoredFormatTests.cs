using System.Globalization;
using System.Text.Json;
using Mesh.Protocol;
using Mesh.Server.Core.Loans;
using Mesh.Server.Core.Tasks;
using Mesh.Server.ServerLeases;
using Mesh.Server.Storage;
using Mesh.Tests.Core;
using Mesh.Tests.Fixtures;
using Mesh.Tests.Publishing;
using StackExchange.Redis;
using static Mesh.Tests.Server.Storage.StoreOperations;

namespace Mesh.Tests.Server.Storage;

/// <summary>
/// docs/operations.md, "Upgrades": a server starts with what the version before it stored. The file stored-1.0.json is what a server of version 1.0.0 left in Redis when it was killed;
/// it is not edited when the format changes.
/// </summary>
[Trait("Speed", "Slow")]
public sealed class StoredFormatTests(RedisFixture redis)
{
    [Fact]
    public async Task Load_StateOfThePreviousVersion_IsReadCompletely()
    {
        var database = await redis.Isolated();
        await RestoreAsync(database);
        var store = new RedisMeshStore(() => database, Self, RedisBackend.Retention, RedisBackend.Expiry);
        await AcquireLeaseAsync(store, Self, "self");

        var state = await store.LoadAsync(Self, Stop);

        Assert.Equal(1, state.Done);
        Assert.Equal(1, state.Dead);
        Assert.Equal(
            [("running-one", TaskType.Update, "maria", 12.5m), ("queued-one", TaskType.Update, "joão 1", 0.0001m)],
            state.Tasks.OrderBy(task => task.Sequence).Select(task => (task.Id, task.Type, task.User, task.Amount!.Value)));
        Assert.All(state.Tasks, task => Assert.True(task is { Keyed: true, TraceParent: not null }));
        Assert.Equal(
            [("guest-1", LoanRole.Borrower, LoanState.Releasing), ("w2", LoanRole.Owner, LoanState.Lent)],
            state.Loans.Select(loan => (loan.Worker.Value, loan.Role, loan.State)).Order());
        Assert.Equal(new MeshEndpoint("127.0.0.1", 9002), state.Loans.Single(loan => loan.Role == LoanRole.Owner).Borrower);
        var settled = await store.FindSettledAsync("done-one", Stop);
        Assert.Equal((TaskState.Done, 10m, "w1"), (settled!.State, decimal.Parse(settled.Result!.Value.ToString(), CultureInfo.InvariantCulture), settled.Worker!.Value.Value));
        Assert.Equal(("no account", 1), ((await store.FindSettledAsync("dead-one", Stop))!.Error, (await store.FindSettledAsync("dead-one", Stop))!.Attempts));
    }

    [Fact]
    public async Task Core_StateOfThePreviousVersion_QueuesItsTasksWithTheDefaults()
    {
        var database = await redis.Isolated();
        await RestoreAsync(database);
        var store = new RedisMeshStore(() => database, Self, RedisBackend.Retention, RedisBackend.Expiry);
        await AcquireLeaseAsync(store, Self, "self");

        var mesh = new CoreHarness(stored: await store.LoadAsync(Self, Stop));

        Assert.Equal((2, 0), (mesh.Core.GetStatus().Queue, mesh.Core.GetStatus().Scheduled));
        Assert.All(mesh.Core.Unsettled, task => Assert.Equal(TaskRecord.DefaultPriority, task.Priority));
        mesh.Submit(new Submission([new TaskRecord("new", new TaskId("new"), TaskType.Query, "maria", null, 0) { Priority = TaskRecord.DefaultPriority + 1 }]));
        var session = mesh.NewSession();
        for (var i = 0; i < 3; i++)
        {
            mesh.Ask("w1", session);
        }

        Assert.Equal(["new", "running-one", "queued-one"], mesh.Sent.Where(send => send.Message is NewTask).Select(send => send.Task!.Record.Id));
    }

    [Fact]
    public async Task Lease_HeldByProcessOfPreviousVersion_IsNotAcquiredAndNamesIt()
    {
        var database = await redis.Isolated();
        await RestoreAsync(database, withClaim: true);
        var store = new RedisMeshStore(() => database, Self, RedisBackend.Retention, RedisBackend.Expiry);

        var answer = await store.AcquireLeaseAsync(Self, new ServerLeaseHolder(Self, "self", "127.0.0.1:9009", null), gone: null, Stop);

        Assert.Equal(ServerLeaseAcquireStatus.Held, answer.Result);
        Assert.Equal(("127.0.0.1:9001", 12885), (answer.Holder!.Address, answer.Holder.Process!.Id));
    }

    /// <param name="withClaim">Whether the process that stored it still has its claim.</param>
    private static async Task RestoreAsync(IDatabase database, bool withClaim = false)
    {
        using var stored = JsonDocument.Parse(await File.ReadAllTextAsync(BuildOutput.Source("Mesh.Tests/Server/Storage/stored-1.0.json"), Stop));
        foreach (var key in stored.RootElement.EnumerateObject().Where(key => withClaim || !key.Name.EndsWith(":claim", StringComparison.Ordinal)))
        {
            await (key.Value.ValueKind == JsonValueKind.String
                ? database.StringSetAsync(key.Name, key.Value.GetString())
                : database.HashSetAsync(key.Name, [.. key.Value.EnumerateObject().Select(field => new HashEntry(field.Name, field.Value.GetString()))]));
        }
    }
}
