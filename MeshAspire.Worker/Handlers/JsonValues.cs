using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace MeshAspire.Worker.Handlers;

/// <summary>Reads payloads and writes results.</summary>
internal static class JsonValues
{
    /// <summary>Reads a payload.</summary>
    /// <exception cref="TaskFailedException">The payload is not of this type. The task is not tried again, because it stays as it is.</exception>
    public static T Deserialize<T>(ReadOnlyMemory<byte> payload, JsonSerializerOptions json)
    {
        try
        {
            return JsonSerializer.Deserialize(payload.Span, TypeInfo<T>(json)) is { } value ? value
                : AllowsNull(typeof(T)) ? default!
                : throw new TaskFailedException("PAYLOAD is missing", mayRetry: false);
        }
        catch (JsonException exception)
        {
            throw new TaskFailedException($"PAYLOAD is not valid: {exception.Message}", mayRetry: false, innerException: exception);
        }
    }

    /// <summary>Writes a value. Returns null for a value that is null.</summary>
    public static byte[]? Serialize<T>(T value, JsonSerializerOptions json) => value is null ? null : JsonSerializer.SerializeToUtf8Bytes(value, TypeInfo<T>(json));

    public static JsonTypeInfo<T> TypeInfo<T>(JsonSerializerOptions json) => (JsonTypeInfo<T>)json.GetTypeInfo(typeof(T));

    /// <summary>Returns whether a handler of this payload expects tasks without one.</summary>
    private static bool AllowsNull(Type type) => type == typeof(object) || Nullable.GetUnderlyingType(type) is not null;
}
