using System.Runtime.CompilerServices;
using System.Text.Json;
using System.Text.Json.Serialization;
using Mesh.Protocol;
using Mesh.Server.Core.Loans;
using Mesh.Server.Core.Schedules;
using Mesh.Server.Core.Tasks;
using Mesh.Server.ServerLeases;

namespace Mesh.Server.Storage;

/// <summary>The JSON format of stored records. Null properties are omitted, and enums are numbers. A record with an enum number that this version does not know cannot be read.</summary>
[JsonSourceGenerationOptions(
    MaxDepth = ProtocolLimits.MaxValueDepth + 8,
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    Converters = [typeof(TaskIdConverter), typeof(WorkerIdConverter), typeof(ServerIdConverter),
        typeof(TaskTypeConverter), typeof(ScheduleTimesConverter), typeof(RawJsonConverter), typeof(DefinedEnumConverter<TaskState>), typeof(DefinedEnumConverter<LoanRole>), typeof(DefinedEnumConverter<LoanState>)])]
[JsonSerializable(typeof(TaskRecord))]
[JsonSerializable(typeof(LoanRecord))]
[JsonSerializable(typeof(ScheduleRecord))]
[JsonSerializable(typeof(ServerLeaseHolder))]
internal sealed partial class StoreJson : JsonSerializerContext;

/// <summary>Reads and writes enums whose underlying type is byte. Refuses numbers that are not defined.</summary>
internal sealed class DefinedEnumConverter<T> : JsonConverter<T>
    where T : struct, Enum
{
    public override T Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
        Unsafe.BitCast<byte, T>(reader.GetByte()) is var value && Enum.IsDefined(value)
            ? value
            : throw new JsonException($"{value} is not a {typeof(T).Name} that this version knows.");

    public override void Write(Utf8JsonWriter writer, T value, JsonSerializerOptions options) => writer.WriteNumberValue(Unsafe.BitCast<T, byte>(value));
}

/// <summary>
/// Reads and writes a task type as its name. QUERY and UPDATE are the numbers 1 and 2, as in all versions before types could be chosen, so that servers of such a version
/// can still read them.
/// </summary>
internal sealed class TaskTypeConverter : JsonConverter<TaskType>
{
    private const int Query = 1;
    private const int Update = 2;

    public override TaskType Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) => reader.TokenType switch
    {
        JsonTokenType.Number => reader.GetInt32() switch
        {
            Query => TaskType.Query,
            Update => TaskType.Update,
            var other => throw new JsonException($"{other} is not a task type that this version knows."),
        },
        JsonTokenType.String => TaskType.Parse(reader.GetString()!) ?? throw new JsonException($"{reader.GetString()} is not a task type."),
        _ => throw new JsonException("A task type is a number or a name."),
    };

    public override void Write(Utf8JsonWriter writer, TaskType value, JsonSerializerOptions options)
    {
        if (value == TaskType.Query || value == TaskType.Update)
        {
            writer.WriteNumberValue(value == TaskType.Query ? Query : Update);
            return;
        }

        writer.WriteStringValue(value.Name);
    }
}

internal sealed class TaskIdConverter : JsonConverter<TaskId>
{
    public override TaskId Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) => new(reader.GetString()!);

    public override void Write(Utf8JsonWriter writer, TaskId value, JsonSerializerOptions options) => writer.WriteStringValue(value.Value);
}

internal sealed class WorkerIdConverter : JsonConverter<WorkerId>
{
    public override WorkerId Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) => new(reader.GetString()!);

    public override void Write(Utf8JsonWriter writer, WorkerId value, JsonSerializerOptions options) => writer.WriteStringValue(value.Value);
}

internal sealed class ServerIdConverter : JsonConverter<ServerId>
{
    public override ServerId Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) => new(reader.GetString()!);

    public override void Write(Utf8JsonWriter writer, ServerId value, JsonSerializerOptions options) => writer.WriteStringValue(value.Value);
}

/// <summary>Reads and writes the times of a schedule as an array of the cron expression and the time zone. Refuses a time zone that this machine does not know.</summary>
internal sealed class ScheduleTimesConverter : JsonConverter<ScheduleTimes>
{
    public override ScheduleTimes Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
    {
        var (cron, timeZone) = (ReadText(ref reader), ReadText(ref reader));
        reader.Read();
        return ScheduleTimes.TryParse(cron, timeZone, out var times, out var fault) ? times : throw new JsonException($"{fault.Value.Field} {fault.Value.Detail}");
    }

    public override void Write(Utf8JsonWriter writer, ScheduleTimes value, JsonSerializerOptions options)
    {
        writer.WriteStartArray();
        writer.WriteStringValue(value.Cron);
        writer.WriteStringValue(value.TimeZone);
        writer.WriteEndArray();
    }

    private static string ReadText(ref Utf8JsonReader reader) =>
        reader.Read() && reader.TokenType == JsonTokenType.String ? reader.GetString()! : throw new JsonException("The times of a schedule are a cron expression and a time zone.");
}
