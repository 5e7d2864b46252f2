using System.Globalization;
using Aspire.Hosting;
using MeshAspire.Embedded.Running;
using Microsoft.Extensions.Configuration;

namespace MeshAspire.Embedded.Dashboard;

/// <summary>Where the dashboard will be: chosen before anything is composed, so that an AppHost can tell its resources.</summary>
/// <param name="Program">The dashboard's program; null when there is to be no dashboard.</param>
/// <param name="Port">Of its pages, held until it starts.</param>
internal sealed record DashboardAddress(string? Program, int Port)
{
    /// <summary>Set to false to go without. Default: true.</summary>
    public const string Setting = "Mesh:Dashboard";

    // As with Aspire, which serves its dashboard at the AppHost's own address.
    private const string UrlsKey = "ASPNETCORE_URLS";

    public string Url => string.Create(CultureInfo.InvariantCulture, $"http://localhost:{Port}");

    /// <summary>Takes the port of <c>ASPNETCORE_URLS</c> if that is free, else any; that key then tells where the dashboard is, and nothing when there is none.</summary>
    /// <param name="program">Of the dashboard; null when it isn't built.</param>
    public static DashboardAddress Choose(ConfigurationManager configuration, DistributedApplicationOptions options, string? program, Ports ports)
    {
        var none = options.DisableDashboard || !IsWanted(configuration[Setting]) || program is null;
        var address = none ? new DashboardAddress(null, 0) : new DashboardAddress(program, ports.HoldOr(PortOf(configuration[UrlsKey])));
        configuration[UrlsKey] = none ? null : address.Url;
        return address;
    }

    /// <summary>The port of the first of the URLs, if that is one of this machine without TLS.</summary>
    public static int? PortOf(string? urls) =>
        Uri.TryCreate(urls?.Split(';')[0], UriKind.Absolute, out var url) && url.Scheme == Uri.UriSchemeHttp && url.IsLoopback ? url.Port : null;

    // Who runs a server by hand may have exported its Mesh__Dashboard, an address: that is no wish for none here.
    private static bool IsWanted(string? setting) => !bool.TryParse(setting, out var wanted) || wanted;
}
