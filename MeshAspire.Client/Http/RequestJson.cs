using System.Globalization;
using System.Text.Json;

namespace MeshAspire.Client.Http;

/// <summary>Writes tasks and schedules as the bodies of requests.</summary>
internal static class RequestJson
{
    /// <summary>Returns a task as the object that POST /tasks takes.</summary>
    public static byte[] Write(MeshTaskRequest task) => Write(json => Write(json, task));

    /// <summary>Returns a schedule as the object that PUT /schedules/{name} takes.</summary>
    public static byte[] Write(MeshScheduleRequest schedule) => Write(json =>
    {
        json.WriteStartObject();
        json.WriteString("cron", schedule.Cron);
        if (schedule.TimeZone is { } zone)
        {
            json.WriteString("timeZone", zone);
        }

        json.WritePropertyName("task");
        Write(json, schedule.Task);
        json.WriteEndObject();
    });

    /// <summary>Returns an array of written tasks.</summary>
    public static byte[] Join(IReadOnlyList<byte[]> tasks)
    {
        var body = new byte[tasks.Sum(task => task.Length + 1) + 1];
        body[0] = (byte)'[';
        var end = 1;
        foreach (var task in tasks)
        {
            task.CopyTo(body, end);
            end += task.Length;
            body[end++] = (byte)',';
        }

        body[^1] = (byte)']';
        return body;
    }

    private static byte[] Write(Action<Utf8JsonWriter> write)
    {
        using var body = new MemoryStream();
        using (var json = new Utf8JsonWriter(body))
        {
            write(json);
        }

        return body.ToArray();
    }

    private static void Write(Utf8JsonWriter json, MeshTaskRequest task)
    {
        var options = task.Options;
        json.WriteStartObject();
        json.WriteString("type", task.Type);
        Write(json, "id", options.Id);
        Write(json, "user", task.User);
        Write(json, "amount", task.Amount);
        if (task.Payload is { ValueKind: not JsonValueKind.Undefined } payload)
        {
            json.WritePropertyName("payload");
            payload.WriteTo(json);
        }

        Write(json, "priority", options.Priority);
        Write(json, "notBefore", options.NotBefore?.ToString("O", CultureInfo.InvariantCulture));
        Write(json, "delay", Text(options.Delay));
        Write(json, "maxAttempts", options.MaxAttempts);
        Write(json, "timeout", Text(options.Timeout));
        if (options.Retry is { } retry)
        {
            json.WriteStartObject("retry");
            Write(json, "delay", Text(retry.Delay));
            if (retry.Factor is { } factor)
            {
                json.WriteNumber("factor", factor);
            }

            Write(json, "maxDelay", Text(retry.MaxDelay));
            json.WriteEndObject();
        }

        json.WriteEndObject();
    }

    private static string? Text(TimeSpan? duration) => duration?.ToString("c", CultureInfo.InvariantCulture);

    private static void Write(Utf8JsonWriter json, string name, string? value)
    {
        if (value is not null)
        {
            json.WriteString(name, value);
        }
    }

    private static void Write(Utf8JsonWriter json, string name, decimal? value)
    {
        if (value is { } number)
        {
            json.WriteNumber(name, number);
        }
    }
}
