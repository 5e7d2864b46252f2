using Mesh.Server.ServerLeases;
using Mesh.Server.Storage;
using Mesh.Simulation.Time;

namespace Mesh.Simulation.Stores;

/// <summary>One process's connection to its store. A call can fail without an effect, or take effect and get no answer.</summary>
/// <param name="context">The process. The answers come in its context.</param>
internal sealed class SimStoreConnection(SimWorld world, SimRedis redis, SimContext context)
{
    /// <summary>Makes one call.</summary>
    /// <param name="serve">What Redis does.</param>
    /// <param name="answered">What the process does with the answer, and what the call returns.</param>
    public Task<TAnswer> CallAsync<TServed, TAnswer>(Func<TServed> serve, Func<TServed, TAnswer> answered)
    {
        var answer = new TaskCompletionSource<TAnswer>();
        var stopCount = redis.StopCount;
        var fails = redis.Random.Chance(redis.ErrorRate);
        var takesEffect = !fails || redis.Random.Chance(0.5);
        redis.Scheduler.After(redis.Delay(), () =>
        {
            if (!redis.IsUp || redis.StopCount != stopCount || !takesEffect)
            {
                redis.Scheduler.After(redis.Random.Seconds(0.01, 1), () => context.Run(() => answer.SetException(new StoreUnavailableException("Redis does not answer."))));
                return;
            }

            var served = serve();
            redis.Scheduler.After(redis.Delay(), () => context.Run(() =>
            {
                if (fails || !redis.IsUp || redis.StopCount != stopCount)
                {
                    world.Coverage.Count("store: call made, answer lost");
                    answer.SetException(new StoreUnavailableException("Redis does not answer."));
                    return;
                }

                try
                {
                    answer.SetResult(answered(served));
                }
                catch (ServerLeaseLostException lost)
                {
                    answer.SetException(lost);
                }
            }));
        });
        return answer.Task;
    }
}
