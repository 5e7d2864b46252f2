using Aspire.Hosting;
using Microsoft.Extensions.Configuration;

namespace MeshAspire.Hosting.Running;

internal static class RunKeys
{
    private const string Section = "AppHost";

    /// <summary>
    /// Keeps the keys that Aspire has created for this run, such as the one for telemetry. Aspire stores them in the user secrets and reads them again at each use, and another run
    /// of this AppHost overwrites them there. Without this, the dashboard could refuse the telemetry of its own servers.
    /// </summary>
    public static void KeepRunKeys(this IDistributedApplicationBuilder builder) =>
        builder.Configuration.AddInMemoryCollection([.. builder.Configuration.GetSection(Section).AsEnumerable().Where(key => key.Value is not null)]);
}
