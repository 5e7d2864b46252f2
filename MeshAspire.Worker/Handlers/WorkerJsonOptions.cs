using System.Diagnostics.CodeAnalysis;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace MeshAspire.Worker.Handlers;

/// <summary>How payloads and results are read and written.</summary>
internal sealed class WorkerJsonOptions
{
    public JsonSerializerOptions Serializer { get; } = new(JsonSerializerDefaults.Web)
    {
        RespectNullableAnnotations = true,
        RespectRequiredConstructorParameters = true,
        TypeInfoResolver = JsonSerializer.IsReflectionEnabledByDefault ? CreateReflectionResolver() : JsonTypeInfoResolver.Combine(),
    };

    [UnconditionalSuppressMessage("Trimming", "IL2026", Justification = "Used only when the application enables reflection for System.Text.Json.")]
    [UnconditionalSuppressMessage("AOT", "IL3050", Justification = "Used only when the application enables reflection for System.Text.Json.")]
    private static DefaultJsonTypeInfoResolver CreateReflectionResolver() => new();
}
