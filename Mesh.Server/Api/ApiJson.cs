using System.Text.Json.Serialization;

namespace Mesh.Server.Api;

/// <summary>The JSON of the HTTP API.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(TaskRequest))]
[JsonSerializable(typeof(TaskRequest[]))]
[JsonSerializable(typeof(AcceptedResponse))]
[JsonSerializable(typeof(TaskResponse))]
[JsonSerializable(typeof(TaskResponse[]))]
[JsonSerializable(typeof(AccountResponse))]
[JsonSerializable(typeof(AccountRequest))]
[JsonSerializable(typeof(StatusResponse))]
[JsonSerializable(typeof(PauseResponse))]
[JsonSerializable(typeof(ReturnResponse))]
[JsonSerializable(typeof(Map.MapSettings))]
[JsonSerializable(typeof(Microsoft.AspNetCore.Mvc.ProblemDetails))]
internal sealed partial class ApiJson : JsonSerializerContext;
