using System.Globalization;
using Mesh.Protocol;
using Mesh.Server.Core;
using Mesh.Simulation.Time;

namespace Mesh.Simulation.Scale;

/// <summary>Many servers and workers in virtual time, without faults: each message and each write takes the same short time.</summary>
internal sealed class ScaleMesh
{
    /// <summary>The time of a message and of a write.</summary>
    private static readonly TimeSpan Latency = TimeSpan.FromMilliseconds(1);

    private static readonly DateTimeOffset Origin = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

    private readonly Scheduler _scheduler = new();
    private readonly Dictionary<ServerId, ScaleServer> _byId = [];
    private readonly Dictionary<MeshEndpoint, ScaleServer> _byEndpoint = [];

    public ScaleMesh(ScaleOptions options, Seeds seeds)
    {
        var views = PeerViews.Draw(options.Servers, options.Peers, seeds.For("views"));
        var (cores, workers, starts) = (seeds.For("cores"), seeds.For("workers"), seeds.For("starts"));
        for (var i = 0; i < options.Servers; i++)
        {
            var settings = new ServerSettings
            {
                Id = IdOf(i),
                Advertise = EndpointOf(i),
                Peers = [.. views[i].Select(peer => new PeerSettings(IdOf(peer), EndpointOf(peer)))],
                Tasks = new TasksOptions { Capacity = Math.Max(options.Tasks, new TasksOptions().Capacity) },
            };
            var server = new ScaleServer(this, settings, cores.Next());
            Servers.Add(server);
            _byId.Add(settings.Id, server);
            _byEndpoint.Add(settings.Advertise, server);
        }

        Servers.ForEach(server => server.Start());
        foreach (var server in Servers)
        {
            for (var number = 1; number <= options.Workers; number++)
            {
                var worker = new ScaleWorker(this, server, number, workers.Next());
                At(starts.Seconds(0, 30), worker.Start);
            }
        }
    }

    public List<ScaleServer> Servers { get; } = [];

    public TimeSpan Elapsed => _scheduler.Now;

    public DateTimeOffset Now => Origin + Elapsed;

    public long Steps => _scheduler.Steps;

    public ScaleServer Server(ServerId id) => _byId[id];

    public ScaleServer Server(MeshEndpoint endpoint) => _byEndpoint[endpoint];

    public static TimeSpan TimeOf(DateTimeOffset time) => time - Origin;

    public void At(TimeSpan due, Action action) => _scheduler.At(due, action);

    /// <summary>Runs an action after the time of a message. Actions keep their order.</summary>
    public void Deliver(Action action) => _scheduler.After(Latency, action);

    public void RunUntil(TimeSpan end) => _scheduler.RunUntil(end);

    private static ServerId IdOf(int number) => new(string.Create(CultureInfo.InvariantCulture, $"s{number}"));

    private static MeshEndpoint EndpointOf(int number) => new(string.Create(CultureInfo.InvariantCulture, $"10.{number >> 16}.{(number >> 8) & 255}.{number & 255}"), 9001);
}
