using System.Runtime.InteropServices;
using Aspire.Hosting;
using Aspire.Hosting.ApplicationModel;
using MeshAspire.Embedded.Dashboard;
using MeshAspire.Embedded.Redis;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace MeshAspire.Embedded.Running;

/// <summary>Runs all resources, from the start of the application to its end.</summary>
internal sealed class Orchestrator(
    IResourceCollection resources, Ports ports, GuardianClient guardian, RedisLauncher redis, ResourceConsole console, DashboardProcess dashboard,
    AppHostProject project, IHostApplicationLifetime lifetime, IServiceProvider services, TimeProvider time) : IHostedService, IDisposable
{
    /// <summary>What all stages of a stop may take together.</summary>
    public static readonly TimeSpan StopLimit = TimeSpan.FromSeconds(60);

    private readonly List<Replica> _replicas = [];
    private readonly CancellationTokenSource _stopping = new();
    private readonly CancellationTokenSource _hurry = new();
    private readonly List<PosixSignalRegistration> _signals = [];
    private Task _background = Task.CompletedTask;
    private Task? _stop;

    public async Task StartAsync(CancellationToken cancellationToken)
    {
        var runnable = resources.Where(resource => resource is not ParameterResource).ToArray();
        foreach (var one in runnable.OfType<RedisResource>())
        {
            redis.Prepare(one);
        }

        _ = StartOrder.Levels(runnable);
        ports.Allocate(runnable.Where(resource => resource is not RedisResource { External: not null }));
        foreach (var resource in runnable)
        {
            var count = resource.Annotations.OfType<ReplicaAnnotation>().LastOrDefault()?.Replicas ?? 1;
            if (count > 1 && resource.Annotations.OfType<EndpointAnnotation>().Any())
            {
                throw new DistributedApplicationException(
                    $"{resource.Name} can't start: it has endpoints and {count} replicas, which can't share a port without Aspire's proxy.");
            }

            for (var number = 1; number <= count; number++)
            {
                var id = count == 1 ? resource.Name : $"{resource.Name}-{number}";
                _replicas.Add(ActivatorUtilities.CreateInstance<Replica>(services, resource, id));
            }
        }

        console.Expect(_replicas.Select(replica => replica.Id));
        console.Say(Greeting());
        guardian.Start();
        WatchSignals();
        cancellationToken.ThrowIfCancellationRequested();
        dashboard.Start([.. _replicas.Select(replica => replica.Id)], Obey);
        _background = Task.WhenAll([.. _replicas.Select(RunAsync), TellWhenHealthyAsync(), WatchParentAsync()]);
    }

    public Task StopAsync(CancellationToken cancellationToken) => _stop ??= StopOnceAsync();

    public void Dispose()
    {
        _stopping.Dispose();
        _hurry.Dispose();
    }

    private async Task StopOnceAsync()
    {
        await _stopping.CancelAsync();
        // Workers hand back what they hold to servers that still run, and servers store it in a Redis that still runs.
        foreach (var level in StartOrder.Levels([.. _replicas.Select(replica => replica.Resource).Distinct()]).Reverse())
        {
            await Task.WhenAll(_replicas.Where(replica => level.Contains(replica.Resource)).Select(replica => replica.StopAsync(_hurry.Token)));
        }

        try
        {
            await _background;
        }
        finally
        {
            await dashboard.StopAsync();
            _signals.ForEach(signal => signal.Dispose());
            guardian.Dispose();
            console.Say("All stopped.");
        }
    }

    public void Obey(FeedCommand command) => Find(command.Resource)?.Obey(command.Action);

    public Replica? Find(string id) => _replicas.FirstOrDefault(replica => string.Equals(replica.Id, id, StringComparison.OrdinalIgnoreCase));

    public IReadOnlyList<Replica> ReplicasOf(IResource resource) => [.. _replicas.Where(replica => replica.Resource == resource)];

    /// <summary>What a replica can't cope with is a bug here: the rest doesn't go on as if nothing were wrong.</summary>
    private async Task RunAsync(Replica replica)
    {
        try
        {
            await replica.RunAsync(_stopping.Token);
        }
        catch (Exception exception)
        {
            console.Say(replica.Id, exception.ToString());
            lifetime.StopApplication();
            throw;
        }
    }

    private string Greeting()
    {
        var reason = project.EngineReason is { } text ? $" ({text})" : "";
        return $"{project.Name} on the engine Embedded{reason}. Ctrl-C stops all.";
    }

    private async Task TellWhenHealthyAsync()
    {
        var notifications = services.GetRequiredService<ResourceNotificationService>();
        try
        {
            foreach (var resource in _replicas.Select(replica => replica.Resource).Distinct())
            {
                await notifications.WaitForResourceHealthyAsync(resource.Name, _stopping.Token);
            }
        }
        catch (OperationCanceledException)
        {
            return;
        }

        console.Say("");
        console.Say("All healthy.");
        foreach (var resource in _replicas.Select(replica => replica.Resource).OfType<IResourceWithEndpoints>().Distinct())
        {
            foreach (var endpoint in resource.Annotations.OfType<EndpointAnnotation>().Where(endpoint => endpoint.UriScheme == "http"))
            {
                console.Say($"  {resource.Name,-12} {new EndpointReference(resource, endpoint.Name).Url}");
            }
        }

        if (dashboard.LoginUrl is { } login)
        {
            console.Say($"  {DashboardProcess.Name,-12} {login}");
        }

        console.Say("");
    }

    private void WatchSignals()
    {
        // The host's own handler takes the first one; who asks twice doesn't want to wait. Some launchers signal a process and its
        // group, which makes two of one wish.
        long asked = 0;
        foreach (var signal in new[] { PosixSignal.SIGINT, PosixSignal.SIGTERM })
        {
            _signals.Add(PosixSignalRegistration.Create(signal, context =>
            {
                var first = Interlocked.CompareExchange(ref asked, time.GetTimestamp(), 0);
                if (first != 0 && time.GetElapsedTime(first) > TimeSpan.FromSeconds(1))
                {
                    _hurry.Cancel();
                }
            }));
        }

        // A terminal that is closed hangs up: the resources go with it, in order.
        if (!OperatingSystem.IsWindows())
        {
            _signals.Add(PosixSignalRegistration.Create(PosixSignal.SIGHUP, context =>
            {
                context.Cancel = true;
                lifetime.StopApplication();
            }));
        }
    }

    /// <summary>Under <c>dotnet run</c>, a kill -9 of that leaves this process behind: it ends too.</summary>
    private async Task WatchParentAsync()
    {
        if (!OperatingSystem.IsLinux())
        {
            return;
        }

        var parent = Native.ParentId();
        try
        {
            if ((await File.ReadAllTextAsync($"/proc/{parent}/comm", _stopping.Token)).Trim() != "dotnet")
            {
                return;
            }

            using var timer = new PeriodicTimer(TimeSpan.FromSeconds(1), time);
            while (Native.ParentId() == parent)
            {
                await timer.WaitForNextTickAsync(_stopping.Token);
            }

            console.Say("The dotnet that ran this has ended: stopping.");
            lifetime.StopApplication();
        }
        catch (Exception exception) when (exception is OperationCanceledException or IOException)
        {
            // Stopping, or a parent that is gone or can't be looked at.
        }
    }
}
