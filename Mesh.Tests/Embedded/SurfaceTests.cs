using Mesh.Tests.Engine;

namespace Mesh.Tests.Embedded;

public sealed class SurfaceTests
{
    /// <summary>So what compiles on this engine compiles on Aspire. To offer more, add the lines to Aspire-13.5.2.txt as the packages have them.</summary>
    [Fact]
    public void Embedded_OffersNothingThatIsNotListed() => Assert.Empty(Surface.Offered().Except(Surface.Listed()));
}
