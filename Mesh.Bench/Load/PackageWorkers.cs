using System.Collections.Concurrent;
using Mesh.Bench.CommandLine;
using Mesh.Protocol;
using MeshAspire.Worker;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace Mesh.Bench.Load;

/// <summary>Workers of the package MeshAspire.Worker, each with a host of its own.</summary>
internal sealed class PackageWorkers(LoadPlan plan, TaskTimes times) : ILoadWorkers
{
    private static readonly TimeSpan ContactInterval = TimeSpan.FromMilliseconds(10);

    private readonly List<IHost> _hosts = [];

    public async Task ConnectAsync(CancellationToken cancellationToken)
    {
        for (var i = 0; i < plan.Workers; i++)
        {
            var host = CreateHost(i);
            _hosts.Add(host);
            await host.StartAsync(cancellationToken);
        }

        foreach (var contact in _hosts.Select(host => host.Services.GetRequiredService<ServerContact>()))
        {
            while (!contact.IsReached)
            {
                if (contact.IsLost)
                {
                    throw new BenchException($"{plan.Server.Url}: {contact.Description}");
                }

                await Task.Delay(ContactInterval, TimeProvider.System, cancellationToken);
            }
        }
    }

    public async Task RunAsync(CancellationToken cancellationToken)
    {
        await Task.WhenAny(_hosts.Select(host => host.WaitForShutdownAsync(cancellationToken)));
        cancellationToken.ThrowIfCancellationRequested();
        throw new BenchException("A worker has ended by itself");
    }

    public async ValueTask DisposeAsync()
    {
        await Task.WhenAll(_hosts.Select(host => host.StopAsync()));
        _hosts.ForEach(host => host.Dispose());
    }

    private IHost CreateHost(int number)
    {
        var running = new ConcurrentDictionary<string, int>();
        var builder = Host.CreateEmptyApplicationBuilder(new());
        builder.Services.AddSingleton(new AcknowledgementObserver(task =>
        {
            if (running.TryRemove(task.Value, out var known))
            {
                times.SetAcknowledged(known);
            }
        }));
        builder.AddMeshWorker(configureSettings: settings =>
            {
                settings.WorkerId = $"{plan.UserPrefix}{number}";
                settings.HomeServer = new() { Id = "bench", Endpoint = plan.Server.Url.GetLeftPart(UriPartial.Authority) };
                settings.Token = plan.Server.Token;
                settings.Concurrency = plan.Slots;
                settings.Transport = plan.Transport == Framing.Line ? WorkerTransport.Tcp : WorkerTransport.WebSocket;
                settings.Redirect = new() { Allowed = ["measure-a-server-without-peers"] };
                settings.StopTimeout = TimeSpan.Zero;
                (settings.DisableHealthChecks, settings.DisableTracing) = (true, true);
            })
            .AddHandler<Account, int>("QUERY", (account, context) =>
            {
                if (times.TaskOf(account.User) is { } known)
                {
                    running[context.TaskId!] = known;
                    times.SetReceived(known);
                }

                return Task.FromResult(0);
            });
        return builder.Build();
    }

    private sealed record Account(string User);
}
