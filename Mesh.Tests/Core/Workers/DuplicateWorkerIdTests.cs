using Mesh.Protocol;
using Mesh.Server.Core;

namespace Mesh.Tests.Core.Workers;

/// <summary>Two workers that use the same id.</summary>
public sealed class DuplicateWorkerIdTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(45);

    private readonly CoreHarness _mesh = new();

    [Fact]
    public void Workers_SameId_AreReportedOnceInTenMinutes()
    {
        Alternate();
        Assert.Equal(new WorkerId("w1"), Assert.Single(_mesh.Events.OfType<DuplicateWorkerIdDetected>()).Worker);

        Alternate();
        Assert.Equal(2, _mesh.Events.OfType<DuplicateWorkerIdDetected>().Count());

        void Alternate()
        {
            for (var turn = 0; turn < 12; turn++)
            {
                _mesh.Ask("w1");
                _mesh.Pass(Patience);
            }
        }
    }

    [Fact]
    public void Worker_ConnectionEndsBeforeTheNext_IsNotReportedAsDuplicate()
    {
        for (var turn = 0; turn < 12; turn++)
        {
            _mesh.Close(_mesh.Ask("w1"));
        }

        Assert.Empty(_mesh.Events.OfType<DuplicateWorkerIdDetected>());
    }

    [Fact]
    public void Worker_OccasionallyLosesConnection_IsNotReportedAsDuplicate()
    {
        for (var turn = 0; turn < 12; turn++)
        {
            _mesh.Ask("w1");
            _mesh.Pass(TimeSpan.FromMinutes(5));
        }

        Assert.Empty(_mesh.Events.OfType<DuplicateWorkerIdDetected>());
    }
}
