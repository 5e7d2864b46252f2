using Mesh.Simulation.Scale;
using Mesh.Tests.Fixtures;

namespace Mesh.Tests.Simulation;

[Collection(SequentialTests.Name)]
[Trait("Speed", "Slow")]
public sealed class ScaleRunTests(ITestOutputHelper output)
{
    private static readonly ScaleOptions Options = new(Servers: 30, Workers: 20, Peers: 6, Tasks: 4_000);

    [Fact]
    public void HotSpot_ThirtyServers_BorrowsOfAllItsPeersAndComesToRest()
    {
        var report = Run(Options);

        Assert.InRange(report.TimeToBalance!.Value, TimeSpan.FromSeconds(1), report.TimeAlone / 4);
        Assert.NotNull(report.TimeToRest);

        // Each owner keeps one of its workers.
        Assert.Equal(report.Shares.Count, report.Owners);
        Assert.InRange(report.MostLoans, report.Owners * (Options.Workers - 2), report.Owners * (Options.Workers - 1));
        Assert.InRange(report.Fairness, 0.95, 1);
    }

    [Fact]
    public void Messages_MoreServersWithAsManyPeers_StayTheSame()
    {
        var (small, large) = (Run(Options with { Tasks = 0 }), Run(Options with { Servers = 90, Tasks = 0 }));

        Assert.InRange(large.Quiet.WithPeers / large.AveragePeers, small.Quiet.WithPeers / small.AveragePeers * 0.9, small.Quiet.WithPeers / small.AveragePeers * 1.1);
        Assert.InRange(large.Quiet.WithWorkers, small.Quiet.WithWorkers * 0.9, small.Quiet.WithWorkers * 1.1);
    }

    [Fact]
    public void Run_SameSeed_GivesTheSameReport() => Assert.Equal(Run(Options).ToString(), Run(Options).ToString());

    [Theory]
    [InlineData(2, 8, 1)]
    [InlineData(9, 8, 8)]
    [InlineData(100, 1, 1)]
    [InlineData(101, 5, 4)]
    [InlineData(1000, 8, 8)]
    public void Views_AnySize_AreMutualAndOfThatSize(int servers, int peers, int expected)
    {
        var views = PeerViews.Draw(servers, peers, new Random(1));

        for (var server = 0; server < servers; server++)
        {
            Assert.Equal(expected, views[server].Count);
            Assert.DoesNotContain(server, views[server]);
            Assert.All(views[server], peer => Assert.Contains(server, views[peer]));
        }
    }

    private ScaleReport Run(ScaleOptions options)
    {
        var report = ScaleRun.Run(seed: 1, options, cancellation: TestContext.Current.CancellationToken);
        output.WriteLine($"{report}");
        return report;
    }
}
