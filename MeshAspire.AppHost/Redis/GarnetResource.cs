/// <summary>Garnet, a server that speaks Redis' protocol and runs on .NET: the Redis of a machine without a container runtime.</summary>
internal sealed class GarnetResource(string name, string workingDirectory, ParameterResource password)
    : ExecutableResource(name, "dotnet", workingDirectory), IResourceWithConnectionString
{
    public const string EndpointName = "tcp";

    public ParameterResource Password => password;

    public EndpointReference Endpoint => new(this, EndpointName);

    public ReferenceExpression ConnectionStringExpression =>
        ReferenceExpression.Create($"{Endpoint.Property(EndpointProperty.HostAndPort)},password={password}");
}
