using Aspire.Hosting.Testing;
using Mesh.Tests.Fixtures;
using Microsoft.Extensions.Configuration;

namespace Mesh.Tests.Integration.AppHost;

/// <summary>docs/architecture.md, "The AppHost": two runs on one machine.</summary>
[Collection(SequentialTests.Name)]
[Trait("Speed", "Slow")]
public sealed class RunKeysTests
{
    [Theory]
    [InlineData("AppHost:OtlpApiKey")]
    [InlineData("AppHost:DashboardApiKey")]
    public async Task AppHost_AnotherRunReplacesTheUserSecrets_KeepsItsKeys(string key)
    {
        await using var builder = await DistributedApplicationTestingBuilder.CreateAsync<Projects.MeshAspire_AppHost>(
            ["--Mesh:Redis=garnet"], TestContext.Current.CancellationToken);
        var before = builder.Configuration[key];
        Assert.NotNull(before);

        foreach (var file in ((IConfigurationRoot)builder.Configuration).Providers.OfType<FileConfigurationProvider>())
        {
            file.Set(key, "the key of another run");
        }

        Assert.Equal(before, builder.Configuration[key]);
    }
}
