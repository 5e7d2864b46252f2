using System.Globalization;

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
        : ReferenceExpression.Create($"{PrimaryEndpoint.Property(EndpointProperty.HostAndPort)},password={password}{Tls}");

    public ReferenceExpression UriExpression =>
        ReferenceExpression.Create($"{PrimaryEndpoint.Property(EndpointProperty.Scheme)}://:{password:uri}@{Host}:{Port}");

    /// <summary>The connection string of a Redis that isn't ours to start.</summary>
    internal string? External { get; set; }

    /// <summary>Whether its data outlives the run, and under which name; null when it doesn't.</summary>
    internal string? Volume { get; set; }

    /// <summary>When and after how many changes a published Redis writes a snapshot; null when it doesn't.</summary>
    internal (TimeSpan Interval, long Changes)? Snapshots { get; set; }

    private ReferenceExpression Tls => PrimaryEndpoint.GetTlsValue(ReferenceExpression.Create($",ssl=true"), ReferenceExpression.Empty);

    public ValueTask<string?> GetConnectionStringAsync(CancellationToken cancellationToken = default) =>
        ConnectionStringExpression.GetValueAsync(cancellationToken);

    IEnumerable<KeyValuePair<string, ReferenceExpression>> IResourceWithConnectionString.GetConnectionProperties() => External is not null ? [] :
    [
        new("Host", ReferenceExpression.Create($"{Host}")),
        new("Port", ReferenceExpression.Create($"{Port}")),
        new("Password", ReferenceExpression.Create($"{password}")),
        new("Uri", UriExpression),
    ];

    // A shell, so that the password comes from the environment and isn't seen among the arguments that the platform stores.
    internal override ContainerDescription Describe()
    {
        var command = "redis-server --requirepass $REDIS_PASSWORD";
        if (Snapshots is { } snapshots)
        {
            command += string.Create(CultureInfo.InvariantCulture, $" --save {snapshots.Interval.TotalSeconds} {snapshots.Changes}");
        }

        return new("docker.io/library/redis:8.6", ["-c", command], Volume is null ? [] : [new(Volume, "/data")]);
    }
}
