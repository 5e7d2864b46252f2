using System.Text.Json.Serialization;

namespace Mesh.Worker.Handlers;

/// <summary>The payload of QUERY and UPDATE.</summary>
/// <param name="User">The account.</param>
/// <param name="Amount">The amount that an UPDATE adds to the balance.</param>
internal sealed record AccountTask(string User, decimal? Amount = null);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(AccountTask))]
[JsonSerializable(typeof(decimal))]
internal sealed partial class AccountJson : JsonSerializerContext;
