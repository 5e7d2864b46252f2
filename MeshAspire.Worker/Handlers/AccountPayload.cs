using System.Text.Json.Serialization;

namespace MeshAspire.Worker.Handlers;

/// <summary>The payload of QUERY and UPDATE, which have fields of their own on the wire.</summary>
internal sealed record AccountPayload(string User, decimal? Amount);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(AccountPayload))]
internal sealed partial class AccountPayloadContext : JsonSerializerContext;
