using System.Net.NetworkInformation;
using Aspire.Hosting;

namespace MeshAspire.Hosting.Running;

internal static class DashboardPorts
{
    private static readonly string[] Urls = ["ASPNETCORE_URLS", "ASPIRE_DASHBOARD_OTLP_ENDPOINT_URL", "ASPIRE_RESOURCE_SERVICE_ENDPOINT_URL"];

    /// <summary>
    /// Lets Aspire choose the ports of its dashboard when a port of the launch profile is in use, for example by another run of this AppHost. Two runs can then run side by side.
    /// </summary>
    public static void UseFreePorts(this IDistributedApplicationBuilder builder)
    {
        var taken = IPGlobalProperties.GetIPGlobalProperties().GetActiveTcpListeners().Select(listener => listener.Port).ToHashSet();
        if (builder.ExecutionContext.IsRunMode && Urls.SelectMany(url => Ports(builder.Configuration[url])).Any(taken.Contains))
        {
            builder.Configuration["DcpPublisher:RandomizePorts"] = "true";
        }
    }

    private static IEnumerable<int> Ports(string? urls) => (urls ?? "").Split(';')
        .Select(url => Uri.TryCreate(url, UriKind.Absolute, out var address) ? address.Port : 0);
}
