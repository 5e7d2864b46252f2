using Aspire.Hosting;
using Aspire.Hosting.ApplicationModel;
using MeshAspire.Embedded.Dashboard;

namespace MeshAspire.Embedded.Running;

/// <summary>The environment of one replica, its values resolved: what Aspire injects, then what the AppHost sets.</summary>
internal sealed class EnvironmentComposer(DistributedApplicationExecutionContext execution, GuardianClient guardian, DashboardProcess dashboard)
{
    // Set for readable output on a shared terminal, unless the user has said otherwise.
    private static readonly (string Name, string Value)[] Defaults =
    [
        ("ASPNETCORE_ENVIRONMENT", "Development"),
        ("DOTNET_ENVIRONMENT", "Development"),
        ("Logging__LogLevel__Microsoft.Hosting.Lifetime", "Warning"),
        ("Logging__LogLevel__StackExchange.Redis", "Critical"),
        ("Logging__Console__FormatterName", "simple"),
        ("Logging__Console__FormatterOptions__SingleLine", "true"),
    ];

    /// <param name="resource">Whose.</param>
    /// <param name="instance">The replica's id: unlike any other's, in other runs too.</param>
    /// <param name="cancellationToken">Ends the wait for values.</param>
    /// <exception cref="DistributedApplicationException">A value can't be had; the message names the variable.</exception>
    public async Task<IReadOnlyDictionary<string, string>> ComposeAsync(IResource resource, string instance, CancellationToken cancellationToken)
    {
        var result = new Dictionary<string, string> { [Guardian.RunVariable] = guardian.Run };
        foreach (var (name, value) in Defaults)
        {
            if (string.IsNullOrEmpty(Environment.GetEnvironmentVariable(name)))
            {
                result[name] = value;
            }
        }

        result["OTEL_SERVICE_NAME"] = resource.Name;
        result["OTEL_RESOURCE_ATTRIBUTES"] = $"service.instance.id={instance}";
        foreach (var (name, value) in resource is ProjectResource ? dashboard.Variables : new Dictionary<string, string>())
        {
            result[name] = value;
        }

        var urls = resource.Annotations.OfType<EndpointAnnotation>().Where(endpoint => endpoint.UriScheme == "http")
            .Select(endpoint => new EndpointReference((IResourceWithEndpoints)resource, endpoint.Name).Url).ToArray();
        if (urls.Length > 0)
        {
            result["ASPNETCORE_URLS"] = string.Join(';', urls);
        }

        var context = new EnvironmentCallbackContext(execution, resource, cancellationToken: cancellationToken);
        foreach (var annotation in resource.Annotations.OfType<EnvironmentCallbackAnnotation>())
        {
            await annotation.Callback(context);
        }

        foreach (var (name, value) in context.EnvironmentVariables)
        {
            if (await ResolveAsync(resource, name, value, cancellationToken) is { } text)
            {
                result[name] = text;
            }
        }

        return result;
    }

    private static async ValueTask<string?> ResolveAsync(IResource resource, string name, object value, CancellationToken cancellationToken)
    {
        try
        {
            return value switch
            {
                string text => text,
                IValueProvider provider => await provider.GetValueAsync(cancellationToken),
                IFormattable other => other.ToString(null, System.Globalization.CultureInfo.InvariantCulture),
                _ => throw new DistributedApplicationException($"a {value.GetType().Name} is neither a text nor an IValueProvider."),
            };
        }
        catch (Exception exception) when (exception is DistributedApplicationException or InvalidOperationException)
        {
            throw new DistributedApplicationException($"{resource.Name} can't start: {name}: {exception.Message}", exception);
        }
    }
}
