namespace Aspire.Hosting.ApplicationModel;

/// <summary>A Garnet server, which implements the protocol of Redis and runs on .NET. It replaces Redis on a machine without a container runtime.</summary>
internal sealed class GarnetResource(string name, string workingDirectory, ParameterResource password)
    : ExecutableResource(name, "dotnet", workingDirectory), IResourceWithConnectionString
{
    public const string EndpointName = "tcp";

    public ParameterResource Password => password;

    public EndpointReference Endpoint => new(this, EndpointName);

    public ReferenceExpression ConnectionStringExpression =>
        ReferenceExpression.Create($"{Endpoint.Property(EndpointProperty.HostAndPort)},password={password}");
}
