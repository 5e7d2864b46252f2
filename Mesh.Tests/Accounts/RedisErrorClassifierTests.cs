using System.IO.Pipelines;
using Mesh.Accounts;
using StackExchange.Redis;

namespace Mesh.Tests.Accounts;

public sealed class RedisErrorClassifierTests
{
    [Theory]
    [InlineData("OOM command not allowed when used memory > 'maxmemory'.", "Redis is full")]
    [InlineData("ERR Error running script (call to f_0a1b): @user_script:7: @user_script: 7: -OOM command not allowed when used memory > 'maxmemory'.", "Redis is full")]
    [InlineData("NOPERM User default has no permissions to run the 'evalsha' command", "Redis refuses the command")]
    [InlineData("ERR max number of clients reached", "Redis: ERR max number of clients reached")]
    [InlineData("UNKILLABLE Sorry the script already executed write commands", "Redis: UNKILLABLE")]
    [InlineData("ERR unknown command 'EVALSHA'", "Redis: ERR unknown command")]
    public void Reason_StoreRefusal_IsDescribed(string error, string reason) =>
        Assert.StartsWith(reason, RedisErrorClassifier.Reason(new RedisServerException(error)), StringComparison.Ordinal);

    [Theory]
    [InlineData("WRONGTYPE Operation against a key holding the wrong kind of value")]
    [InlineData("ERR user_script:3: attempt to index a nil value script: 0a1b, on @user_script:3.")]
    [InlineData("ERR the balance is not a whole number of at least 0")]
    public void Reason_NonTransientError_IsNull(string error) => Assert.Null(RedisErrorClassifier.Reason(new RedisServerException(error)));

    [Fact]
    public void Reason_ServerBecameReplicaBeforeTheWrite_IsDescribed() => Assert.StartsWith(
        "Redis: Command cannot be issued", RedisErrorClassifier.Reason(new RedisCommandException("Command cannot be issued to a replica: EVALSHA")), StringComparison.Ordinal);

    [Fact]
    public void Reason_CancelledByTheClientOnly_IsDescribed()
    {
        using var caller = new CancellationTokenSource();
        var call = new TaskCompletionSource();
        call.SetCanceled(CancellationToken.None);
        Assert.Equal("Redis: the client has cancelled the call.", RedisErrorClassifier.Reason(new TaskCanceledException(call.Task)));
        Assert.Null(RedisErrorClassifier.Reason(new OperationCanceledException(caller.Token)));
    }

    [Fact]
    public void Reason_PipeOfTheClientFails_IsDescribed()
    {
        var pipe = new Pipe();
        pipe.Reader.Complete();
        var fault = Assert.Throws<InvalidOperationException>(() => pipe.Reader.AdvanceTo(default));
        Assert.StartsWith("Redis: the connection has failed", RedisErrorClassifier.Reason(fault), StringComparison.Ordinal);
        Assert.Null(RedisErrorClassifier.Reason(new InvalidOperationException("a bug")));
    }

    [Fact]
    public void IsFull_ErrorWrappedByOldRedis_IsTrue() => Assert.True(RedisErrorClassifier.IsFull(new RedisServerException(
        "ERR Error running script (call to f_0a1b): @user_script:7: @user_script: 7: -OOM command not allowed when used memory > 'maxmemory'.")));
}
