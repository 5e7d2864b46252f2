using Aspire.Hosting;
using MeshAspire.Embedded.Running;

namespace Mesh.Tests.Embedded;

public sealed class PortsTests
{
    [Fact]
    public void Port_OfARun_IsOfABlockThatNoOtherRunHas()
    {
        const int blockSize = 50;
        var runs = Enumerable.Range(0, 100).Select(_ => new Ports(new DistributedApplicationOptions())).ToList();
        var ports = runs.ConvertAll(run => run.HoldOr(null));
        var further = runs[0].HoldOr(null);
        runs.ForEach(run => run.Dispose());

        Assert.Distinct(ports.Select(port => port / blockSize));
        Assert.Equal((true, ports[0] / blockSize), (further != ports[0], further / blockSize));
    }

    [Fact]
    public void Ports_MoreThanABlockHas_AreDistinct()
    {
        using var run = new Ports(new DistributedApplicationOptions());
        Assert.Distinct(Enumerable.Range(0, 120).Select(_ => run.HoldOr(null)).ToArray());
    }
}
