namespace Mesh.Tests.Engine;

/// <summary>Aspire's packages, or Embedded in their stead.</summary>
public sealed class SurfaceTests
{
    /// <summary>Run on the engine Aspire this proves the list, and on Embedded that it has what is listed.</summary>
    [Fact]
    public void Engine_OffersAllThatIsListed() => Assert.Empty(Surface.Listed().Except(Surface.Offered()));
}
