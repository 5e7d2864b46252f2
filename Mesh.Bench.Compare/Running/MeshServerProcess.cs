using System.Diagnostics;
using System.Globalization;
using System.Net;
using Mesh.Bench.CommandLine;

namespace Mesh.Bench.Compare.Running;

/// <summary>A server of the mesh with its default settings.</summary>
internal static class MeshServerProcess
{
    private const int DefaultCapacity = 100_000;

    public static async Task<OwnedProcess> StartAsync(int port, int redis, ComparePlan plan, CancellationToken cancellationToken)
    {
        var url = string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{port}");
        var start = new ProcessStartInfo(DotNetProgram.Path, [FindProgram(), "--urls", url]);
        start.Environment["Mesh__ServerId"] = "compare";
        start.Environment["Mesh__Tasks__Capacity"] = Math.Max(DefaultCapacity, plan.Tasks + plan.Warmup).ToString(CultureInfo.InvariantCulture);
        start.Environment["ConnectionStrings__redis"] = string.Create(CultureInfo.InvariantCulture, $"127.0.0.1:{redis}");
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
