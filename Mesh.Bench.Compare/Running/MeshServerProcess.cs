using System.Diagnostics;
using System.Globalization;
using System.Net;
using Mesh.Bench.CommandLine;

namespace Mesh.Bench.Compare.Running;

/// <summary>A server of the mesh.</summary>
internal static class MeshServerProcess
{
    /// <param name="settings">Further settings, by their names in the environment.</param>
    public static async Task<OwnedProcess> StartAsync(string id, int port, int redis, IReadOnlyDictionary<string, string> settings, CancellationToken cancellationToken)
    {
        var url = string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{port}");
        var start = new ProcessStartInfo(DotNetProgram.Path, [FindProgram(), "--urls", url]);
        start.Environment["Mesh__ServerId"] = id;
        start.Environment["ConnectionStrings__redis"] = string.Create(CultureInfo.InvariantCulture, $"127.0.0.1:{redis}");
        foreach (var (name, value) in settings)
        {
            start.Environment[name] = value;
        }

        var server = OwnedProcess.Start("Mesh.Server", start).DropOutput();
        try
        {
            using var http = new HttpClient { BaseAddress = new Uri(url) };
            await server.WaitUntilReadyAsync(cancellation => IsHealthyAsync(http, cancellation), cancellationToken);
            return server;
        }
        catch
        {
            await server.DisposeAsync();
            throw;
        }
    }

    /// <exception cref="BenchException">The build has not copied the program to the output directory of this one.</exception>
    private static string FindProgram()
    {
        var path = Path.Combine(AppContext.BaseDirectory, "Mesh.Server.dll");
        return File.Exists(path) ? path : throw new BenchException($"{path} is missing. Build Mesh.Bench.Compare again.");
    }

    private static async Task<bool> IsHealthyAsync(HttpClient http, CancellationToken cancellationToken)
    {
        try
        {
            using var answer = await http.GetAsync(new Uri("/health", UriKind.Relative), cancellationToken);
            return answer.StatusCode == HttpStatusCode.OK;
        }
        catch (HttpRequestException)
        {
            return false;
        }
    }
}
