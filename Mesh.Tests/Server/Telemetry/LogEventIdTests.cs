using System.Reflection;
using Mesh.Common;
using Mesh.Server.Loop;
using Mesh.Worker;
using MeshAspire.Worker;
using Microsoft.Extensions.Logging;

namespace Mesh.Tests.Server.Telemetry;

/// <summary>An event id names one log line of the whole mesh: the logs of servers and workers are read together.</summary>
public sealed class LogEventIdTests
{
    [Fact]
    public void EventIds_OfServerAndWorker_AreEachUsedOnce()
    {
        const BindingFlags Declared = BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Static | BindingFlags.Instance | BindingFlags.DeclaredOnly;
        var ids = new[] { typeof(CoreLoop).Assembly, typeof(WorkerService).Assembly, typeof(AccountHandlers).Assembly, typeof(MeshTelemetry).Assembly }
            .SelectMany(assembly => assembly.GetTypes()).SelectMany(type => type.GetMethods(Declared))
            .Select(method => (method.GetCustomAttribute<LoggerMessageAttribute>()?.EventId, Name: $"{method.DeclaringType!.Name}.{method.Name}"))
            .Where(line => line.EventId is not null).ToList();

        Assert.InRange(ids.Count, 80, int.MaxValue);
        Assert.DoesNotContain(ids, line => line.EventId <= 0);
        Assert.Empty(ids.GroupBy(line => line.EventId).Where(same => same.Count() > 1).Select(same => $"{same.Key}: {string.Join(", ", same.Select(line => line.Name))}"));
    }
}
