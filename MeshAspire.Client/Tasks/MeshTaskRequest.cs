using System.Diagnostics.CodeAnalysis;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace MeshAspire.Client;

/// <summary>A task to submit.</summary>
/// <param name="Type">QUERY, UPDATE, or a type that a worker handles: a letter followed by up to 63 letters, digits, dots, underscores and hyphens.</param>
public sealed record MeshTaskRequest(string Type)
{
    /// <summary>The input of the task: any JSON value. QUERY and UPDATE have none.</summary>
    public JsonElement? Payload { get; init; }

    /// <summary>The account of a QUERY or UPDATE. Other types have none.</summary>
    public string? User { get; init; }

    /// <summary>What an UPDATE adds to the balance: zero or more, with at most 4 decimals. Other types have none.</summary>
    public decimal? Amount { get; init; }

    /// <summary>The id, priority, time and limits of the task.</summary>
    public MeshTaskOptions Options { get; init; } = new();

    /// <summary>Creates a task with a payload that is serialized with the metadata of its type.</summary>
    public static MeshTaskRequest Create<TPayload>(string type, TPayload payload, MeshTaskOptions? options, JsonTypeInfo<TPayload> payloadInfo) => new(type)
    {
        Payload = JsonSerializer.SerializeToElement(payload, payloadInfo),
        Options = options ?? new(),
    };

    /// <summary>Creates a task with a payload that is serialized by reflection.</summary>
    /// <param name="jsonOptions">The options of the serialization. Default: <see cref="JsonSerializerOptions.Web"/>.</param>
    [RequiresUnreferencedCode(JsonValues.Reflection)]
    [RequiresDynamicCode(JsonValues.Reflection)]
    public static MeshTaskRequest Create(string type, object? payload, MeshTaskOptions? options = null, JsonSerializerOptions? jsonOptions = null) => new(type)
    {
        Payload = payload is null ? null : JsonSerializer.SerializeToElement(payload, payload.GetType(), jsonOptions ?? JsonSerializerOptions.Web),
        Options = options ?? new(),
    };

    /// <summary>Creates a QUERY, which reads the balance of an account.</summary>
    public static MeshTaskRequest Query(string user, MeshTaskOptions? options = null) => new("QUERY") { User = user, Options = options ?? new() };

    /// <summary>Creates an UPDATE, which adds an amount to the balance of an account.</summary>
    public static MeshTaskRequest Update(string user, decimal amount, MeshTaskOptions? options = null) =>
        new("UPDATE") { User = user, Amount = amount, Options = options ?? new() };
}
