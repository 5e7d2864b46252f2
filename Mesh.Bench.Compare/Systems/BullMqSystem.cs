using System.Diagnostics;
using System.Reflection;
using Mesh.Bench.Chaos;
using Mesh.Bench.Compare.Running;

namespace Mesh.Bench.Compare.Systems;

/// <summary>BullMQ, which runs in Node.js and stores in Redis.</summary>
internal sealed class BullMqSystem : IComparedSystem
{
    private static readonly string Folder =
        typeof(BullMqSystem).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>().Single(attribute => attribute.Key == "BullMq").Value!;

    public string Name => "bullmq";

    public string? FindObstacle(ComparePlan plan)
    {
        if (ExecutableFinder.Find("node") is null)
        {
            return "it needs node on the PATH (Debian: apt-get install nodejs npm).";
        }

        return Directory.Exists(Path.Combine(Folder, "node_modules", "bullmq"))
            ? RedisProcess.FindProgram() is null ? RedisProcess.Missing : null
            : $"its packages are not installed. Run: npm ci --prefix {Folder}";
    }

    public async Task<SystemMeasurement> MeasureAsync(ComparePlan plan, string directory, CancellationToken cancellationToken)
    {
        var port = PortAllocator.Next();
        await using var redis = await RedisProcess.StartAsync(port, plan.Fsync, directory, cancellationToken);
        var start = new ProcessStartInfo(ExecutableFinder.Find("node")!, [Path.Combine(Folder, "generator.js"), .. GeneratorProcess.Arguments(plan, port)]);
        return await GeneratorProcess.MeasureAsync(Name, start, plan, server: null, redis, cancellationToken);
    }
}
