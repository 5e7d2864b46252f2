using System.Buffers;
using System.Globalization;
using System.Text.Json;
using Mesh.Protocol;

namespace MeshAspire.Worker.Handlers;

/// <summary>The tasks that an attempt submits with its result, as an array of JSON (docs/protocol.md, "Follow-ups"). Not thread-safe.</summary>
internal sealed class FollowUps(JsonSerializerOptions json)
{
    /// <summary>The number of items that a server accepts in one THEN.</summary>
    private const int MaxCount = 1000;

    private readonly ArrayBufferWriter<byte> _text = new();
    private int _count;

    /// <exception cref="ArgumentException">The type is not valid.</exception>
    /// <exception cref="InvalidOperationException">There are 1,000 follow-ups already.</exception>
    public void Add<TPayload>(string type, TPayload payload, FollowUpOptions? options)
    {
        ArgumentNullException.ThrowIfNull(type);
        var parsed = TaskType.Parse(type) ?? throw new ArgumentException($"'{type}' is not a task type.", nameof(type));
        if (_count == MaxCount)
        {
            throw new InvalidOperationException($"A task has at most {MaxCount} follow-ups.");
        }

        var text = new ArrayBufferWriter<byte>();
        using (var writer = new Utf8JsonWriter(text))
        {
            Write(writer, parsed, payload, options);
        }

        _text.Write(_count++ == 0 ? "["u8 : ","u8);
        _text.Write(text.WrittenSpan);
    }

    /// <summary>Returns the array. There is at least one task.</summary>
    public RawJson ToJson() => RawJson.Copy([.. _text.WrittenSpan, (byte)']']);

    private void Write<TPayload>(Utf8JsonWriter writer, TaskType type, TPayload payload, FollowUpOptions? options)
    {
        writer.WriteStartObject();
        writer.WriteString("type"u8, type.Name);
        if (type == TaskType.Query || type == TaskType.Update)
        {
            WriteProperties(writer, payload);
        }
        else if (payload is not null)
        {
            writer.WritePropertyName("payload"u8);
            JsonSerializer.Serialize(writer, payload, JsonValues.TypeInfo<TPayload>(json));
        }

        if (options is not null)
        {
            Write(writer, options);
        }

        writer.WriteEndObject();
    }

    /// <summary>Writes the properties of the payload of a QUERY or UPDATE, which are properties of the task.</summary>
    private void WriteProperties<TPayload>(Utf8JsonWriter writer, TPayload payload)
    {
        var element = JsonSerializer.SerializeToElement(payload, JsonValues.TypeInfo<TPayload>(json));
        if (element.ValueKind != JsonValueKind.Object)
        {
            throw new ArgumentException("The payload of a QUERY or UPDATE has the properties user and amount.", nameof(payload));
        }

        foreach (var property in element.EnumerateObject())
        {
            property.WriteTo(writer);
        }
    }

    private static void Write(Utf8JsonWriter writer, FollowUpOptions options)
    {
        if (options.Id is { } id)
        {
            writer.WriteString("id"u8, id);
        }

        if (options.Priority is { } priority)
        {
            writer.WriteNumber("priority"u8, priority);
        }

        WriteTime(writer, "delay"u8, options.Delay);
        if (options.NotBefore is { } notBefore)
        {
            writer.WriteString("notBefore"u8, notBefore);
        }

        if (options.MaxAttempts is { } attempts)
        {
            writer.WriteNumber("maxAttempts"u8, attempts);
        }

        WriteTime(writer, "timeout"u8, options.Timeout);
        if (options.RetryDelay is not null)
        {
            writer.WriteStartObject("retry"u8);
            WriteTime(writer, "delay"u8, options.RetryDelay);
            if (options.RetryFactor is { } factor)
            {
                writer.WriteNumber("factor"u8, factor);
            }

            WriteTime(writer, "maxDelay"u8, options.RetryMaxDelay);
            writer.WriteEndObject();
        }
    }

    private static void WriteTime(Utf8JsonWriter writer, ReadOnlySpan<byte> name, TimeSpan? time)
    {
        if (time is { } value)
        {
            writer.WriteString(name, value.ToString("c", CultureInfo.InvariantCulture));
        }
    }
}
