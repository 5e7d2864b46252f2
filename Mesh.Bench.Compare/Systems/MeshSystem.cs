using System.Globalization;
using Mesh.Bench.Chaos;
using Mesh.Bench.Compare.Running;

namespace Mesh.Bench.Compare.Systems;

/// <summary>The mesh: one server with a Redis, and workers of the package MeshAspire.Worker.</summary>
internal sealed class MeshSystem : IComparedSystem
{
    private const int DefaultCapacity = 100_000;

    public string Name => "mesh";

    public string? FindObstacle(ComparePlan plan) => RedisProcess.FindProgram() is null ? RedisProcess.Missing : null;

    public async Task<SystemMeasurement> MeasureAsync(ComparePlan plan, string directory, CancellationToken cancellationToken)
    {
        var (redisPort, port) = (PortAllocator.Next(), PortAllocator.Next());
        await using var redis = await RedisProcess.StartAsync(redisPort, plan.Fsync, directory, cancellationToken);
        var capacity = Math.Max(DefaultCapacity, plan.Tasks + plan.Warmup).ToString(CultureInfo.InvariantCulture);
        await using var server = await MeshServerProcess.StartAsync("compare", port, redisPort, new Dictionary<string, string> { ["Mesh__Tasks__Capacity"] = capacity }, cancellationToken);
        return await GeneratorProcess.MeasureAsync(Name, GeneratorProcess.OfThisProgram(Name, plan, port), plan, server, redis, cancellationToken);
    }
}
