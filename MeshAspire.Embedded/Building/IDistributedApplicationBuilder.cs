using System.Reflection;
using Aspire.Hosting.ApplicationModel;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace Aspire.Hosting;

/// <summary>Collects the resources of an application.</summary>
public interface IDistributedApplicationBuilder
{
    Assembly? AppHostAssembly { get; }

    string AppHostDirectory { get; }

    ConfigurationManager Configuration { get; }

    IHostEnvironment Environment { get; }

    DistributedApplicationExecutionContext ExecutionContext { get; }

    IResourceCollection Resources { get; }

    IServiceCollection Services { get; }

    IResourceBuilder<T> AddResource<T>(T resource)
        where T : IResource;

    IResourceBuilder<T> CreateResourceBuilder<T>(T resource)
        where T : IResource;

    DistributedApplication Build();
}

public sealed class DistributedApplicationOptions
{
    public string[]? Args { get; set; }

    /// <summary>The assembly of the AppHost. Default: the program that runs.</summary>
    public string? AssemblyName { get; set; }

    /// <summary>Goes without the dashboard. Default: false.</summary>
    public bool DisableDashboard { get; set; }

    /// <summary>Writes the lines of the resources to the loggers, category <c>{AppHost}.Resources.{replica}</c>, instead of the console. Default: false.</summary>
    public bool EnableResourceLogging { get; set; }

    /// <summary>The directory of the AppHost's project. Default: as its assembly was built with.</summary>
    public string? ProjectDirectory { get; set; }

    /// <summary>Nothing of this run meets another: every port is a free one, no data outlives it. Default: false.</summary>
    internal bool Isolated { get; set; }
}

public enum DistributedApplicationOperation
{
    Run = 0,
    Publish = 1,
}

public class DistributedApplicationExecutionContext(DistributedApplicationOperation operation)
{
    public DistributedApplicationOperation Operation => operation;

    public bool IsRunMode => operation is DistributedApplicationOperation.Run;

    public bool IsPublishMode => operation is DistributedApplicationOperation.Publish;
}

/// <summary>The application can't be run as it is composed; the message tells the user what to change.</summary>
public class DistributedApplicationException : Exception
{
    public DistributedApplicationException()
    {
    }

    public DistributedApplicationException(string message)
        : base(message)
    {
    }

    public DistributedApplicationException(string message, Exception inner)
        : base(message, inner)
    {
    }
}

/// <summary>What the build generates for a project that the AppHost refers to.</summary>
public interface IProjectMetadata : IResourceAnnotation
{
    string ProjectPath { get; }

    bool SuppressBuild => false;
}

public interface IResourceWithServiceDiscovery : IResourceWithEndpoints;
