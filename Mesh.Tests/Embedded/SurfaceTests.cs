using Aspire.Hosting;
using Aspire.Hosting.Testing;
using Microsoft.Extensions.Hosting;

namespace Mesh.Tests.Embedded;

public sealed class SurfaceTests
{
    /// <summary>
    /// Aspire-13.5.2.txt is what of Aspire 13.5.2's own packages the AppHost, the services and the tests may use. What this engine offers is that and no more, so
    /// what compiles on it compiles on Aspire. To offer more, add the lines as the packages have them.
    /// </summary>
    [Fact]
    public void Embedded_OffersWhatAspireHas_AndNothingElse()
    {
        var offered = Surface.Of(
            [typeof(DistributedApplication).Assembly, typeof(DistributedApplicationTestingBuilder).Assembly, typeof(AspireRedisExtensions).Assembly],
            name => name.StartsWith("Aspire.", StringComparison.Ordinal) || name == typeof(AspireRedisExtensions).Namespace);
        var list = Listed();
        Assert.Empty(offered.Except(list));
        Assert.Empty(list.Except(offered));
    }

    private static string[] Listed()
    {
        using var stream = typeof(SurfaceTests).Assembly.GetManifestResourceStream("Aspire-13.5.2.txt")!;
        using var reader = new StreamReader(stream);
        return reader.ReadToEnd().Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
    }
}
