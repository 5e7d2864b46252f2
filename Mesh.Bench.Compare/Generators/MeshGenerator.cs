using System.Globalization;
using Mesh.Bench.CommandLine;
using Mesh.Bench.Load;
using Mesh.Protocol;
using MeshAspire.Client;

namespace Mesh.Bench.Compare.Generators;

/// <summary>Submits to a server of the mesh by HTTP, and runs workers of the package MeshAspire.Worker.</summary>
internal sealed class MeshGenerator : IGenerator
{
    private readonly TaskTimes _times;
    private readonly PackageWorkers _workers;
    private readonly HttpClient _http;
    private readonly MeshClient _client;

    public MeshGenerator(Workload load)
    {
        var server = new MeasuredServer(new Uri(string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{load.Port}")), Token: null);
        var plan = new LoadPlan(
            server, WorkerKind.Package, load.Connections, load.Slots, load.Total, Framing.WebSocket, load.Batch, load.Submitters, Timeout.InfiniteTimeSpan, new(null, null));
        _times = new(load.Total, plan.UserPrefix);
        _workers = new(plan, _times);
        _http = server.CreateClient(Timeout.InfiniteTimeSpan);
        _client = new(_http, new() { Endpoints = { server.Url.ToString() }, MaxTasksPerRequest = load.Batch });
    }

    public int Completed => _times.Acknowledged;

    public Task ConnectAsync(CancellationToken cancellationToken) => _workers.ConnectAsync(cancellationToken);

    public Task SubmitAsync(int first, int count, CancellationToken cancellationToken) =>
        _client.SubmitManyAsync([.. Enumerable.Range(first, count).Select(task => MeshTaskRequest.Query(_times.UserOf(task)))], cancellationToken);

    public async ValueTask DisposeAsync()
    {
        await _workers.DisposeAsync();
        _http.Dispose();
    }
}
