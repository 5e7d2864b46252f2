using System.Text.Json;

namespace MeshAspire.Client;

/// <summary>
/// The settings of a <see cref="MeshClient"/>. <c>AddMeshClient</c> reads them from the sections <c>Mesh:Client</c> and <c>Mesh:Client:{connectionName}</c> and from
/// <c>ConnectionStrings:{connectionName}</c>.
/// </summary>
public sealed class MeshClientSettings
{
    /// <summary>
    /// The addresses of the servers, such as <c>http://10.0.0.7:9001</c> or, with service discovery, <c>https+http://server-a</c>. The first one is the primary server, the others
    /// are fallbacks. Default: empty, which stands for the service <c>https+http://{connectionName}</c>.
    /// </summary>
    public IList<string> Endpoints { get; } = [];

    /// <summary>The token that each request presents (docs/security.md, "The tokens"). Default: the value of <c>Mesh:Token</c>, or null for servers without a token.</summary>
    public string? Token { get; set; }

    /// <summary>The time after which a server counts as unreachable when no connection is made. Default: 3 seconds.</summary>
    public TimeSpan ConnectTimeout { get; set; } = TimeSpan.FromSeconds(3);

    /// <summary>The time after which one request counts as failed. The time that a request waits for a task is added to it. Default: 10 seconds.</summary>
    public TimeSpan RequestTimeout { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>
    /// The longest time for one operation with all its retries. For operations that wait for a task, it is the time without an answer of any server.
    /// Default: 60 seconds.
    /// </summary>
    public TimeSpan OperationTimeout { get; set; } = TimeSpan.FromSeconds(60);

    /// <summary>The number of retries of one operation. Default: null, which means that only <see cref="OperationTimeout"/> limits them.</summary>
    public int? RetryLimit { get; set; }

    /// <summary>The delay before the first retry. Each further delay is twice as long. Default: 200 ms.</summary>
    public TimeSpan RetryDelay { get; set; } = TimeSpan.FromMilliseconds(200);

    /// <summary>The longest delay between two retries, unless a server asks for a longer one with Retry-After. Default: 5 seconds.</summary>
    public TimeSpan MaxRetryDelay { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>The time that one request waits until a task is settled. From 1 to 60 seconds, in whole seconds. Default: 30 seconds.</summary>
    public TimeSpan LongPollTime { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>The time for which a server that could not be connected to is tried after the others. Default: 5 seconds.</summary>
    public TimeSpan UnreachableTime { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>The largest number of tasks in one request of <see cref="MeshClient.SubmitManyAsync"/>. From 1 to 40,000. Default: 1,000.</summary>
    public int MaxTasksPerRequest { get; set; } = 1_000;

    /// <summary>The number of tasks for which the client remembers that they are at a fallback. Default: 10,000.</summary>
    public int MaxRememberedTasks { get; set; } = 10_000;

    /// <summary>Whether <c>AddMeshClient</c> adds no health check. Default: false.</summary>
    public bool DisableHealthChecks { get; set; }

    /// <summary>Whether <c>AddMeshClient</c> does not add the activity source of the client to OpenTelemetry. Default: false.</summary>
    public bool DisableTracing { get; set; }

    /// <summary>
    /// The options with which payloads and results are serialized, where no <see cref="System.Text.Json.Serialization.Metadata.JsonTypeInfo"/> is given.
    /// Default: null, which stands for <see cref="JsonSerializerOptions.Web"/>.
    /// </summary>
    public JsonSerializerOptions? JsonOptions { get; set; }
}
