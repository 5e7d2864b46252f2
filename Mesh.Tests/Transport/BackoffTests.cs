using Mesh.Server.Core;
using Mesh.Transport;

namespace Mesh.Tests.Transport;

public sealed class BackoffTests
{
    [Theory]
    [InlineData(0, 5)]
    [InlineData(1, 5)]
    [InlineData(2, 10)]
    [InlineData(4, 40)]
    [InlineData(5, 60)]
    [InlineData(int.MaxValue, 60)]
    public void Delay_ByFailures_DoublesToTheLimit(int failures, double seconds) =>
        Assert.Equal(TimeSpan.FromSeconds(seconds), new TimingOptions().HeartbeatBackoff.Delay(failures));

    [Theory]
    [InlineData(2, 15)]
    [InlineData(3, 45)]
    [InlineData(4, 60)]
    public void Delay_WithFactor_GrowsByIt(int failures, double seconds) =>
        Assert.Equal(TimeSpan.FromSeconds(seconds), new TimingOptions { HeartbeatBackoffFactor = 3 }.HeartbeatBackoff.Delay(failures));

    [Fact]
    public void Delay_FactorOne_StaysTheSame() =>
        Assert.Equal(TimeSpan.FromSeconds(1), new Backoff(TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(2), 1).Delay(int.MaxValue));

    [Theory]
    [InlineData(1)]
    [InlineData(int.MaxValue)]
    public void Delay_FirstIsZero_IsZero(int failures) => Assert.Equal(TimeSpan.Zero, new Backoff(TimeSpan.Zero, TimeSpan.FromSeconds(2)).Delay(failures));

    [Theory]
    [InlineData(2)]
    [InlineData(1_000)]
    [InlineData(int.MaxValue)]
    public void Delay_LargestFactorAndDelay_IsTheLimit(int failures) =>
        Assert.Equal(TimeSpan.MaxValue, new Backoff(TimeSpan.FromDays(3_650), TimeSpan.MaxValue, 10_000_000).Delay(failures));

    [Fact]
    public void Delay_LimitBelowTheFirst_IsTheLimit() =>
        Assert.Equal(TimeSpan.FromSeconds(1), new Backoff(TimeSpan.FromSeconds(2), TimeSpan.FromSeconds(1)).Delay(1));
}
