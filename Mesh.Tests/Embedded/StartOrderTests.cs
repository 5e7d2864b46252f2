using Aspire.Hosting;
using Aspire.Hosting.ApplicationModel;
using MeshAspire.Embedded.Running;

namespace Mesh.Tests.Embedded;

public sealed class StartOrderTests
{
    private readonly ProjectResource _redis = new("redis");
    private readonly ProjectResource _server = new("server");
    private readonly ProjectResource _worker = new("worker");

    [Fact]
    public void Levels_OfAChain_PutEachAfterWhatItWaitsFor()
    {
        Wait(_server, _redis);
        Wait(_worker, _server);
        var levels = StartOrder.Levels([_worker, _server, _redis]);
        Assert.Equal([["redis"], ["server"], ["worker"]], levels.Select(level => level.Select(one => one.Name)));
    }

    [Fact]
    public void Levels_OfACircle_AreRefusedWithTheNames()
    {
        Wait(_server, _worker);
        Wait(_worker, _server);
        var fault = Assert.Throws<DistributedApplicationException>(() => StartOrder.Levels([_redis, _server, _worker]));
        Assert.Equal("server, worker can't start: they wait for one another. Take one of their WaitFor out.", fault.Message);
    }

    private static void Wait(ProjectResource resource, ProjectResource awaited) =>
        resource.Annotations.Add(new WaitAnnotation(awaited, WaitType.WaitUntilHealthy));
}

public sealed class BackoffTests
{
    [Fact]
    public void Next_AfterShortLives_DoublesUpToTheLongest()
    {
        var backoff = new Backoff();
        var delays = Enumerable.Range(0, 8).Select(_ => backoff.Next(TimeSpan.FromSeconds(1)).TotalSeconds);
        Assert.Equal([0.5, 1, 2, 4, 8, 16, 30, 30], delays);
    }

    [Fact]
    public void Next_AfterAStableLife_BeginsAnew()
    {
        var backoff = new Backoff();
        backoff.Next(TimeSpan.Zero);
        backoff.Next(TimeSpan.Zero);
        Assert.Equal(Backoff.First, backoff.Next(Backoff.Stable));
    }
}
