using System.Text.Json;
using Mesh.Protocol;
using Mesh.Server.Core.Schedules;
using Mesh.Server.Core.Tasks;

namespace Mesh.Server.Api;

/// <summary>Reads the body of PUT /schedules/{name}. The first error names its place, such as task.type.</summary>
internal static class ScheduleBodyReader
{
    private const string Body = "body";
    private const string Cron = "cron";
    private const string TimeZone = "timeZone";
    private const string Task = "task";

    private static readonly string[] Names = [Cron, TimeZone, Task];

    /// <summary>The properties of a task in POST /tasks that a schedule determines.</summary>
    private static readonly string[] Excluded = ["id", "delay", "notBefore"];

    /// <summary>Returns the schedule, or the first error in the body.</summary>
    public static (ScheduleRecord? Schedule, BodyFault? Fault) Read(string name, ReadOnlySpan<byte> body, in TaskBodyContext context)
    {
        try
        {
            // A payload lies in a task, which lies in the body.
            var json = new Utf8JsonReader(body, new JsonReaderOptions { MaxDepth = ProtocolLimits.MaxValueDepth + 2 });
            json.Read();
            return json.TokenType == JsonTokenType.StartObject ? Read(name, body, ref json, context) : (null, new(Body, "must be an object"));
        }
        catch (JsonException)
        {
            return (null, new(Body, $"is not valid JSON, or is nested deeper than {ProtocolLimits.MaxValueDepth} levels"));
        }
        catch (InvalidOperationException)
        {
            // The JSON reader throws this for a string that is not valid UTF-8 or contains half a surrogate pair.
            return (null, new(Body, "is not valid Unicode"));
        }
    }

    private static (ScheduleRecord? Schedule, BodyFault? Fault) Read(string name, ReadOnlySpan<byte> body, ref Utf8JsonReader json, in TaskBodyContext context)
    {
        string? cron = null, timeZone = null;
        TaskRecord? task = null;
        List<string> given = [];
        while (json.Read() && json.TokenType != JsonTokenType.EndObject)
        {
            var property = json.GetString()!;
            if (!Names.Contains(property))
            {
                return (null, new(PropertyNames.Show(property), PropertyNames.Unknown(property, Names)));
            }

            if (given.Contains(property))
            {
                return (null, new(property, PropertyNames.Twice));
            }

            given.Add(property);
            json.Read();
            if (property == Task)
            {
                var start = (int)json.TokenStartIndex;
                json.Skip();
                (task, var fault) = ReadTask(body[start..(int)json.BytesConsumed], context);
                if (fault is not null)
                {
                    return (null, fault);
                }
            }
            else if (property != TimeZone || json.TokenType != JsonTokenType.Null)
            {
                if (JsonBodyValues.Text(json, out var text) is { } wrong)
                {
                    return (null, new(property, wrong));
                }

                (cron, timeZone) = property == Cron ? (text, timeZone) : (cron, text);
            }
        }

        // Read throws a JsonException when content follows the value.
        json.Read();
        return cron is null ? (null, new(Cron, "is missing"))
            : task is null ? (null, new(Task, "is missing"))
            : !ScheduleTimes.TryParse(cron, timeZone ?? ScheduleTimes.DefaultTimeZone, out var times, out var invalid) ? (null, new(invalid.Value.Field, invalid.Value.Detail))
            : times.FindNext(context.Now) is null ? (null, new(Cron, "has no time in the future"))
            : (new ScheduleRecord(name, times, task, context.Now), null);
    }

    private static (TaskRecord? Task, BodyFault? Fault) ReadTask(ReadOnlySpan<byte> body, in TaskBodyContext context)
    {
        var (tasks, isBatch, fault) = TaskBodyReader.Read(body, context);
        if (isBatch)
        {
            return (null, new(Task, "must be an object"));
        }

        if (fault is { } wrong)
        {
            return (null, wrong with { Field = wrong.Field == Body ? Task : $"{Task}.{wrong.Field}" });
        }

        if (FindExcluded(body) is { } excluded)
        {
            return (null, new($"{Task}.{excluded}", "is not used by a schedule"));
        }

        return (tasks[0] with { Id = "", WireId = new TaskId(""), Keyed = false, TraceParent = null }, null);
    }

    /// <summary>Finds a property of a valid task that a schedule does not use. A null stands for a missing value.</summary>
    private static string? FindExcluded(ReadOnlySpan<byte> task)
    {
        var json = new Utf8JsonReader(task, new JsonReaderOptions { MaxDepth = ProtocolLimits.MaxValueDepth + 2 });
        json.Read();
        while (json.Read() && json.TokenType == JsonTokenType.PropertyName)
        {
            var name = json.GetString();
            json.Read();
            if (json.TokenType != JsonTokenType.Null && Excluded.Contains(name))
            {
                return name;
            }

            json.Skip();
        }

        return null;
    }
}
