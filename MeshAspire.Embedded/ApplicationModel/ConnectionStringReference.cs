namespace Aspire.Hosting.ApplicationModel;

/// <summary>The connection string of a resource, as a consumer gets it.</summary>
public class ConnectionStringReference(IResourceWithConnectionString resource, bool optional) : IExpressionValue
{
    public IResourceWithConnectionString Resource => resource;

    /// <summary>Whether the consumer can do without.</summary>
    public bool Optional => optional;

    string IManifestExpressionProvider.ValueExpression => resource.ValueExpression;

    async ValueTask<string?> IValueProvider.GetValueAsync(CancellationToken cancellationToken) =>
        await resource.GetConnectionStringAsync(cancellationToken) switch
        {
            { } value => value,
            null when optional => null,
            null => throw new DistributedApplicationException($"The connection string of '{resource.Name}' has no value."),
        };
}
