using Mesh.Bench.Chaos;
using Mesh.Bench.Compare.Running;

namespace Mesh.Bench.Compare.Systems;

/// <summary>Hangfire with its storage in Redis.</summary>
internal sealed class HangfireSystem : IComparedSystem
{
    public string Name => "hangfire";

    public string? FindObstacle(ComparePlan plan) => RedisProcess.FindProgram() is null ? RedisProcess.Missing : null;

    public async Task<SystemMeasurement> MeasureAsync(ComparePlan plan, string directory, CancellationToken cancellationToken)
    {
        var port = PortAllocator.Next();
        await using var redis = await RedisProcess.StartAsync(port, plan.Fsync, directory, cancellationToken);
        return await GeneratorProcess.MeasureAsync(Name, GeneratorProcess.OfThisProgram(Name, plan, port), plan, server: null, redis, cancellationToken);
    }
}
