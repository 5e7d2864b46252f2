using Mesh.Bench.Compare;

namespace Mesh.Tests.Bench.Compare;

public sealed class SystemRotationTests
{
    private static readonly string[] Systems = ["a", "b", "c"];

    [Theory]
    [InlineData(0, "abc")]
    [InlineData(1, "bca")]
    [InlineData(2, "cab")]
    [InlineData(3, "cba")]
    [InlineData(4, "acb")]
    [InlineData(5, "bac")]
    [InlineData(6, "abc")]
    public void Order_OfARound_IsRotatedAndLaterReversed(int round, string order) =>
        Assert.Equal(order, string.Concat(SystemRotation.Order(Systems, round)));

    [Fact]
    public void Order_TwiceAsManyRoundsAsSystems_GivesEachSystemEachPlaceTwice()
    {
        var orders = Enumerable.Range(0, 6).Select(round => SystemRotation.Order(Systems, round)).ToList();

        Assert.All(Systems, system => Assert.All([0, 1, 2], place => Assert.Equal(2, orders.Count(order => order[place] == system))));
    }

    [Fact]
    public void Order_OneSystem_IsThatSystem() => Assert.Equal(["a"], SystemRotation.Order(["a"], 5));
}
