using System.Text.Json.Serialization;

namespace Mesh.Server.Api;

/// <summary>The JSON of the HTTP API.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(TaskBody))]
[JsonSerializable(typeof(TaskBody[]))]
[JsonSerializable(typeof(AcceptedAnswer))]
[JsonSerializable(typeof(TaskAnswer))]
[JsonSerializable(typeof(TaskAnswer[]))]
[JsonSerializable(typeof(AccountAnswer))]
[JsonSerializable(typeof(AccountBody))]
[JsonSerializable(typeof(StatusAnswer))]
[JsonSerializable(typeof(PauseAnswer))]
[JsonSerializable(typeof(ReturnAnswer))]
[JsonSerializable(typeof(Map.MapSettings))]
[JsonSerializable(typeof(Microsoft.AspNetCore.Mvc.ProblemDetails))]
internal sealed partial class ApiJson : JsonSerializerContext;
