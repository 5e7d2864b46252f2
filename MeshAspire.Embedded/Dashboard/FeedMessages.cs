using System.Text.Json.Serialization;

namespace MeshAspire.Embedded.Dashboard;

/// <summary>What an AppHost tells its dashboard, a JSON object a line on the dashboard's standard input: one of its parts.</summary>
internal sealed record FeedMessage(FeedResource? Resource = null, FeedLine? Line = null);

/// <summary>A replica as it is now; what was told of it before is over.</summary>
internal sealed record FeedResource
{
    /// <summary>The replica's.</summary>
    public required string Id { get; init; }

    /// <summary>The name of its resource, which replicas share.</summary>
    public required string Name { get; init; }

    /// <summary>"Project" or what runs it, such as "Redis".</summary>
    public required string Type { get; init; }

    /// <summary>One of <see cref="Aspire.Hosting.ApplicationModel.KnownResourceStates"/>.</summary>
    public required string State { get; init; }

    /// <summary>Null until it runs.</summary>
    public bool? Healthy { get; init; }

    public int? ExitCode { get; init; }

    public int? ProcessId { get; init; }

    /// <summary>Null until it has been started.</summary>
    public DateTimeOffset? Started { get; init; }

    /// <summary>Starts after the first.</summary>
    public int Restarts { get; init; }

    public IReadOnlyList<FeedEndpoint> Endpoints { get; init; } = [];

    public IReadOnlyList<FeedVariable> Environment { get; init; } = [];

    /// <summary>Whether the AppHost can stop and start it.</summary>
    public bool Commands { get; init; }
}

/// <param name="Name">The endpoint's.</param>
/// <param name="Url">Where it is.</param>
internal sealed record FeedEndpoint(string Name, string Url);

/// <param name="Name">The variable's.</param>
/// <param name="Value">Its value, a secret too.</param>
/// <param name="Secret">Not to be shown unasked.</param>
internal sealed record FeedVariable(string Name, string Value, bool Secret);

/// <summary>A line of a replica's console.</summary>
/// <param name="Resource">The replica's id.</param>
/// <param name="Time">When it was written.</param>
/// <param name="Text">The line.</param>
/// <param name="Notice">Whether it is said of the process, not by it.</param>
internal sealed record FeedLine(string Resource, DateTimeOffset Time, string Text, bool Notice);

[JsonConverter(typeof(JsonStringEnumConverter<FeedAction>))]
internal enum FeedAction
{
    Start = 1,
    Stop = 2,
    Restart = 3,
}

/// <summary>What a dashboard tells its AppHost, a JSON object a line on the dashboard's standard output: one of its parts.</summary>
/// <param name="Ready">It listens: from now on a person can log in.</param>
/// <param name="Command">What a person asks for.</param>
internal sealed record FeedReply(bool Ready = false, FeedCommand? Command = null);

/// <param name="Resource">The replica's id.</param>
/// <param name="Action">What to do.</param>
internal sealed record FeedCommand(string Resource, FeedAction Action);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(FeedMessage))]
[JsonSerializable(typeof(FeedReply))]
internal sealed partial class FeedJson : JsonSerializerContext;
