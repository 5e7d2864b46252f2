namespace Aspire.Hosting.ApplicationModel;

/// <summary>A Redis, whatever answers as one: Garnet, redis-server, or one that runs elsewhere.</summary>
public class RedisResource(string name, ParameterResource password) : ContainerResource(name), IResourceWithConnectionString
{
    internal const string PrimaryEndpointName = "tcp";

    public ParameterResource? PasswordParameter => password;

    public EndpointReference PrimaryEndpoint => new(this, PrimaryEndpointName);

    public EndpointReferenceExpression Host => PrimaryEndpoint.Property(EndpointProperty.Host);

    public EndpointReferenceExpression Port => PrimaryEndpoint.Property(EndpointProperty.Port);

    public ReferenceExpression ConnectionStringExpression => External is { } external
        ? ReferenceExpression.Create($"{external}")
        : ReferenceExpression.Create($"{PrimaryEndpoint.Property(EndpointProperty.HostAndPort)},password={password}");

    public ReferenceExpression UriExpression => ReferenceExpression.Create($"redis://:{password}@{Host}:{Port}");

    /// <summary>The connection string of a Redis that isn't ours to start.</summary>
    internal string? External { get; set; }

    /// <summary>Whether its data outlives the run, and under which name; null when it doesn't.</summary>
    internal string? Volume { get; set; }

    public ValueTask<string?> GetConnectionStringAsync(CancellationToken cancellationToken = default) =>
        ConnectionStringExpression.GetValueAsync(cancellationToken);

    IEnumerable<KeyValuePair<string, ReferenceExpression>> IResourceWithConnectionString.GetConnectionProperties() => External is not null ? [] :
    [
        new("Host", ReferenceExpression.Create($"{Host}")),
        new("Port", ReferenceExpression.Create($"{Port}")),
        new("Password", ReferenceExpression.Create($"{password}")),
        new("Uri", UriExpression),
    ];
}
