using Mesh.Simulation;
using Mesh.Simulation.Checks;
using Mesh.Tests.Fixtures;

namespace Mesh.Tests.Simulation;

[Collection(SequentialTests.Name)]
[Trait("Speed", "Slow")]
public sealed class AlternatingBurstsTests(ITestOutputHelper output)
{
    [Theory]
    [InlineData(1, false)]
    [InlineData(2, false)]
    [InlineData(1, true)]
    [InlineData(2, true)]
    public void Loans_AlternatingBurstsForAnHour_StayBelowTheBound(long seed, bool roundsLimit)
    {
        var report = AlternatingBursts.Run(seed, TimeSpan.FromHours(1), roundsLimit: roundsLimit);
        output.WriteLine($"{report}");

        Assert.True(report.Broken is null, $"{report}");
        Assert.InRange(report.MostLoansPerMinute, 1, report.Bound);

        // The bursts make the servers borrow all the time.
        Assert.InRange(report.Loans, 600, int.MaxValue);
    }

    [Fact]
    public void Loans_WithoutHysteresis_BreakTheBound()
    {
        var report = AlternatingBursts.Run(seed: 2, TimeSpan.FromMinutes(10), Mutation.HysteresisIgnored);
        output.WriteLine($"{report}");
        Assert.Equal(Invariant.LoansPaced, report.Broken);
    }
}
