using System.Text.Json;
using Mesh.Protocol;

namespace MeshAspire.Worker.Handlers;

/// <summary>Runs one attempt with the payload as JSON. Returns the result as JSON, or null when there is none.</summary>
internal delegate Task<byte[]?> RunAttempt(TaskContext context, ReadOnlyMemory<byte> payload, JsonSerializerOptions json);

/// <summary>The handler of one type of tasks.</summary>
internal sealed record TaskHandlerRegistration(TaskType Type, RunAttempt Run);
