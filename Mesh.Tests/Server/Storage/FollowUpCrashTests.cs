using Mesh.Protocol;
using Mesh.Server.Core.Persistence;
using Mesh.Server.Core.Tasks;
using Mesh.Server.ServerLeases;
using Mesh.Server.Storage;
using Mesh.Tests.Core;
using Mesh.Tests.Fixtures;
using StackExchange.Redis;
using static Mesh.Tests.Server.Storage.StoreOperations;
using TaskStatus = Mesh.Protocol.TaskStatus;

namespace Mesh.Tests.Server.Storage;

/// <summary>
/// A Garnet that is killed may keep only the first commands of the script that settles a task. After each command, the follow-ups of the task are stored all or not at all, and the
/// server that starts then settles the task and accepts each follow-up once.
/// </summary>
public abstract class FollowUpCrashContract(RedisFixture redis)
{
    private const string Then = """[{"type":"NOTIFY"},{"type":"NOTIFY","id":"own"},{"type":"NOTIFY","payload":[1, 2]}]""";

    /// <summary>The number of commands that write, and one more: the last life loses nothing.</summary>
    private const int MaxCommands = 40;

    private static readonly TaskRecord Parent = new("p", new TaskId("w0"), TaskType.Parse("RESIZE")!.Value, null, null, 1) { Keyed = true };

    [Fact]
    public async Task Settle_StoreKilledAfterAnyCommand_StoresAllFollowUpsOrNone()
    {
        for (var commands = 1; ; commands++)
        {
            Assert.True(commands < MaxCommands, "the script does not end");
            if (!await IsCutShortAsync(await redis.Isolated(), commands))
            {
                return;
            }
        }
    }

    /// <returns>False when the whole script has run.</returns>
    private static async Task<bool> IsCutShortAsync(IDatabase database, int commands)
    {
        var store = new RedisMeshStore(() => database, Self, RedisBackend.Retention, RedisBackend.Expiry);
        await AcquireLeaseAsync(store, Self, "self");
        await WriteAsync(store, StoreOp.Of(StoreOpKind.AcceptTask, Parent));

        var settle = Settle(new CoreHarness(stored: new StoredState { Tasks = [Parent] }));
        var fencingToken = (await database.StringGetAsync(new RedisKeys(Self).FencingToken)).ToString();
        var written = (long)await database.StringGetAsync(new RedisKeys(Self).LastWriteNumber);
        var lease = new HeldServerLease(fencingToken, []);
        lease.ResetTo(written);
        var arguments = new WriteArguments(new RedisKeys(Self), lease, written + 1, RedisBackend.Retention, probe: false, new(), [settle]);
        var isCutShort = await Record.ExceptionAsync(() => database.ScriptEvaluateAsync(CutAfter(commands), arguments.Keys, arguments.ToValues())) is not null;

        var next = new RedisMeshStore(() => database, Self, RedisBackend.Retention, RedisBackend.Expiry);
        Assert.Equal(ServerLeaseAcquireStatus.Acquired, (await next.AcquireLeaseAsync(Self, Holder("next"), fencingToken, Stop)).Result);
        var stored = await next.LoadAsync(Self, Stop);
        Assert.Contains(stored.Tasks.Count(task => task.WireId != Parent.WireId), (int[])[0, 3]);

        // The server starts, runs the task again if it must, and writes what it decides.
        var core = new CoreHarness(stored: stored);
        if (core.Core.FindTask("p") is { State: TaskState.Queued })
        {
            Settle(core);
        }

        await WriteAsync(next, [.. core.Stored]);
        var after = await next.LoadAsync(Self, Stop);
        Assert.Equal(["NOTIFY", "NOTIFY", "NOTIFY"], after.Tasks.Select(task => task.Type.Name));
        Assert.Equal(3, after.Tasks.Select(task => task.WireId).Distinct().Count());
        Assert.Equal(TaskState.Done, (await next.FindSettledAsync("p", Stop))!.State);
        return isCutShort;
    }

    private static StoreOp Settle(CoreHarness core)
    {
        var session = core.Ask("w1", tasks: TaskTypeSet.Of(Parent.Type));
        core.Say(session, new TaskStatus(TaskOutcome.Ok, Parent.Type, new WorkerId("w1")) { Id = Parent.WireId, Then = RawJson.Copy(System.Text.Encoding.UTF8.GetBytes(Then)) });
        return core.Stored.Last(op => op.Kind == StoreOpKind.SettleTask);
    }

    /// <summary>The write's script, which fails after some calls of Redis. Redis keeps what a script has written before it fails.</summary>
    private static string CutAfter(int commands) =>
        $$"""
        local real, left = redis, {{commands}}
        local redis = {
          error_reply = real.error_reply,
          call = function(...)
            if left == 0 then error('killed') end
            left = left - 1
            return real.call(...)
          end
        }

        """ + RedisScripts.Write;
}

[Trait("Speed", "Slow")]
public sealed class RedisFollowUpCrashTests(RedisFixture redis) : FollowUpCrashContract(redis);

[Trait("Speed", "Slow")]
public sealed class GarnetFollowUpCrashTests(GarnetFixture garnet) : FollowUpCrashContract(garnet);
