using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Mesh.Tests.ServiceDefaults;

public sealed class ServiceDefaultsTests
{
    [Theory]
    [InlineData(null, false)]
    [InlineData("Information", true)]
    public void PollyLogs_DefaultConfiguration_AreSuppressed(string? configured, bool heard)
    {
        var builder = Host.CreateApplicationBuilder();
        builder.Configuration.AddInMemoryCollection(configured is null ? [] : [new("Logging:LogLevel:Polly", configured)]);
        builder.AddServiceDefaults();
        using var host = builder.Build();
        var polly = host.Services.GetRequiredService<ILoggerFactory>().CreateLogger("Polly");
        Assert.Equal((heard, true), (polly.IsEnabled(LogLevel.Information), polly.IsEnabled(LogLevel.Warning)));
    }
}
