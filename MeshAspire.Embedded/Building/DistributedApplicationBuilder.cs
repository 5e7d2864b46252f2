using System.Reflection;
using Aspire.Hosting.ApplicationModel;
using MeshAspire.Embedded.Dashboard;
using MeshAspire.Embedded.Publishing;
using MeshAspire.Embedded.Redis;
using MeshAspire.Embedded.Running;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Aspire.Hosting;

public class DistributedApplicationBuilder : IDistributedApplicationBuilder
{
    private readonly HostApplicationBuilder _host;
    private readonly EntryPointHooks? _hooks;

    public DistributedApplicationBuilder(string[] args)
        : this(new DistributedApplicationOptions { Args = args })
    {
    }

    public DistributedApplicationBuilder(DistributedApplicationOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        CompositionFault.Watch();
        var settings = new HostApplicationBuilderSettings { Args = options.Args };
        _hooks = EntryPointHooks.Current;
        _hooks?.Creating(options, settings);
        AppHostAssembly = options.AssemblyName is { } name ? Assembly.Load(name) : Assembly.GetEntryAssembly();
        AppHostDirectory = options.ProjectDirectory ?? AppHostProject.Directory(AppHostAssembly);
        settings.ApplicationName ??= AppHostAssembly?.GetName().Name;
        settings.ContentRootPath ??= AppHostDirectory;
        _host = CreateHost(settings);
        ExecutionContext = new(PublishArguments.Read(_host.Configuration, options.Args ?? []));
        var project = new AppHostProject(AppHostDirectory, _host.Environment.ApplicationName, AppHostAssembly);
        var ports = new Ports(options);
        var dashboard = DashboardAddress.Choose(_host.Configuration, options, ExecutionContext.IsRunMode ? project.DashboardPath : null, ports);

        // The console belongs to the resources; what the host itself has to say is said there when it matters.
        _host.Logging.AddFilter("Microsoft", LogLevel.Warning);
        _host.Logging.AddFilter("Microsoft.Extensions.Hosting.Internal.Host", LogLevel.None);
        _host.Services.Configure<HostOptions>(host => host.ShutdownTimeout = Orchestrator.StopLimit);

        _host.Services.TryAddSingleton(TimeProvider.System);
        _host.Services.AddSingleton(Resources);
        _host.Services.AddSingleton(ExecutionContext);
        _host.Services.AddSingleton(_ => new ResourceNotificationService());
        _host.Services.AddSingleton(services => options.EnableResourceLogging
            ? ResourceConsole.Logging(services.GetRequiredService<ILoggerFactory>(), $"{_host.Environment.ApplicationName}.Resources")
            : new ResourceConsole(Console.Out, ResourceConsole.ColourWanted()));
        _host.Services.AddSingleton(project);
        _host.Services.AddSingleton(options);
        _host.Services.AddSingleton(dashboard);
        _host.Services.AddSingleton<DashboardFeed>();
        _host.Services.AddSingleton<DashboardProcess>();
        _host.Services.AddSingleton(_ => ports);
        _host.Services.AddSingleton<GuardianClient>();
        _host.Services.AddSingleton<RedisLauncher>();
        _host.Services.AddSingleton<EnvironmentComposer>();
        _host.Services.AddSingleton<Launcher>();
        _host.Services.AddSingleton<HealthProbe>();
        _host.Services.AddSingleton<Orchestrator>();
        _host.Services.AddSingleton(services => new ResourceCommandService(services.GetRequiredService<Orchestrator>()));
        if (ExecutionContext.IsPublishMode)
        {
            _host.Services.AddHostedService<ManifestPublisher>();
        }
        else
        {
            _host.Services.AddHostedService(services => services.GetRequiredService<Orchestrator>());
        }
    }

    public Assembly? AppHostAssembly { get; }

    public string AppHostDirectory { get; }

    public ConfigurationManager Configuration => _host.Configuration;

    public IHostEnvironment Environment => _host.Environment;

    public DistributedApplicationExecutionContext ExecutionContext { get; }

    public IResourceCollection Resources { get; } = new ResourceCollection();

    public IServiceCollection Services => _host.Services;

    public IResourceBuilder<T> AddResource<T>(T resource)
        where T : IResource
    {
        if (Resources.Any(other => string.Equals(other.Name, resource.Name, StringComparison.OrdinalIgnoreCase)))
        {
            throw new DistributedApplicationException($"There are two resources named '{resource.Name}'.");
        }

        Resources.Add(resource);
        return CreateResourceBuilder(resource);
    }

    public IResourceBuilder<T> CreateResourceBuilder<T>(T resource)
        where T : IResource
        => new ResourceBuilder<T>(this, resource);

    public DistributedApplication Build() => _hooks?.Building(this, _host.Build) ?? new(_host.Build());

    private static HostApplicationBuilder CreateHost(HostApplicationBuilderSettings settings)
    {
        try
        {
            return Host.CreateApplicationBuilder(settings);
        }
        catch (Exception exception) when (exception is FormatException or InvalidDataException)
        {
            // A command line, or an appsettings.json, that isn't one.
            throw new DistributedApplicationException($"The configuration can't be read: {exception.Message}", exception);
        }
    }
}

internal sealed class ResourceBuilder<T>(IDistributedApplicationBuilder builder, T resource) : IResourceBuilder<T>
    where T : IResource
{
    public IDistributedApplicationBuilder ApplicationBuilder => builder;

    public T Resource => resource;

    public IResourceBuilder<T> WithAnnotation<TAnnotation>(
        TAnnotation annotation, ResourceAnnotationMutationBehavior behavior = ResourceAnnotationMutationBehavior.Append)
        where TAnnotation : IResourceAnnotation
    {
        if (behavior is ResourceAnnotationMutationBehavior.Replace)
        {
            foreach (var old in resource.Annotations.OfType<TAnnotation>().ToArray())
            {
                resource.Annotations.Remove(old);
            }
        }

        resource.Annotations.Add(annotation);
        return this;
    }
}
