using Mesh.Bench.Compare;

namespace Mesh.Tests.Bench.Compare;

public sealed class SpreadTests
{
    [Theory]
    [InlineData(new double[] { 2 }, 2, 2, 2)]
    [InlineData(new double[] { 9, 1, 2 }, 2, 1, 9)]
    [InlineData(new double[] { 4, 9, 1, 2 }, 3, 1, 9)]
    public void Of_Values_HasMedianAndLimits(double[] values, double median, double least, double most) =>
        Assert.Equal(new Spread(median, least, most), Spread.Of(values));

    [Fact]
    public void Text_Format_IsUsedForEachValue() => Assert.Equal("1,500 (1,000 to 2,000)", Spread.Of([2_000, 1_000]).Text("N0"));
}
