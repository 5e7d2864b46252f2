using System.Reflection;
using Mesh.Server.Storage;
using StackExchange.Redis;

namespace Mesh.Tests.Server.Storage;

/// <summary>A store over a network that can delay a write.</summary>
/// <param name="Store">The store. Its next write after <paramref name="DelayNext"/> fails with an unknown outcome.</param>
/// <param name="ArriveAsync">Delivers the delayed write.</param>
internal sealed record DelayedWrites(IMeshStore Store, Action DelayNext, Func<Task> ArriveAsync)
{
    public static DelayedWrites Over(IDatabase redis, Func<Func<IDatabase>, IMeshStore> create)
    {
        var proxy = DispatchProxy.Create<IDatabase, DelayedDatabase>();
        var late = (DelayedDatabase)proxy;
        late.Redis = redis;
        return new(create(() => proxy), () => late.HoldsNext = true, late.ArriveAsync);
    }
}

/// <summary>A Redis to which one script call can be delayed.</summary>
public class DelayedDatabase : DispatchProxy
{
    private Func<Task>? _late;

    public IDatabase Redis { get; set; } = null!;

    public bool HoldsNext { get; set; }

    public Task ArriveAsync() => _late!();

    protected override object? Invoke(MethodInfo? targetMethod, object?[]? args)
    {
        if (!HoldsNext || targetMethod!.Name != nameof(IDatabase.ScriptEvaluateAsync))
        {
            return targetMethod!.Invoke(Redis, args);
        }

        HoldsNext = false;
        _late = () => (Task)targetMethod.Invoke(Redis, args)!;
        return Task.FromException<RedisResult>(new RedisTimeoutException("The test holds it up.", CommandStatus.Sent));
    }
}
