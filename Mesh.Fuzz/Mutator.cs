using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Mesh.Fuzz;

/// <summary>Creates bad messages. For some of them the expected error is known.</summary>
internal static class Mutator
{
    // More than the templates need.
    private const int MaxDepth = 128;

    private static readonly JsonSerializerOptions Relaxed = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, MaxDepth = MaxDepth };
    private static readonly JsonSerializerOptions Escaped = new() { MaxDepth = MaxDepth };

    // The tokens of JSON, and invalid UTF-8.
    private static readonly byte[][] Tokens =
    [
        .. new[]
        {
            "\"", "{", "}", "[", "]", ",", ":", "null", "true", "-1", "1e999", "NaN", "\\u", "\\ud800", "\\u0000", "\\", "\n", "\r\n", "\"TASK\": ", "\"\"", "/*",
            "[[[[[[[[[[", "{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":1", "\"WORKER_UUID\":", "\"PAYLOAD\":", "\"RESULT\":", "\"THEN\":[", "\"TASKS\":[", "RUNNING", "99999999999999999999999999999999999",
        }.Select(Encoding.UTF8.GetBytes),
        [0xff], [0xc3], [0], [0xed, 0xa0, 0x80], [0xef, 0xbb, 0xbf],
    ];

    /// <summary>Returns one message, in most cases without line ends.</summary>
    public static FuzzInput Draw(Random random) => random.Next(13) switch
    {
        12 => DuplicateField(random),
        < 3 => new(Write(random, MessageTemplates.Draw(random).Draw(random)), null),
        3 => new(RandomBytes(random), null),
        < 7 => CorruptField(random),
        7 when random.Next(50) == 0 => CreateOversized(random),
        _ => new(RemoveLineBreaks(random, Mutate(random, Write(random, MessageTemplates.Draw(random).Draw(random)))), null),
    };

    /// <summary>Changes bytes by one to six edits: flipped bits, repeated, removed and inserted bytes.</summary>
    public static byte[] Mutate(Random random, byte[] bytes)
    {
        for (var edits = random.Next(1, 7); edits > 0; edits--)
        {
            var at = random.Next(bytes.Length + 1);
            var until = Math.Min(bytes.Length, at + random.Next(13));
            bytes = random.Next(5) switch
            {
                0 when bytes.Length > 0 => Flip(random, bytes),
                1 => [.. bytes[..at], .. bytes[at..until], .. bytes[at..]],
                2 => bytes[..at],
                _ => [.. bytes[..at], .. Tokens[random.Next(Tokens.Length)], .. bytes[until..]],
            };
        }

        return bytes;
    }

    public static byte[] RandomBytes(Random random)
    {
        var bytes = new byte[random.Next(200)];
        random.NextBytes(bytes);
        return RemoveLineBreaks(random, bytes);
    }

    public static byte[] Write(Random random, JsonNode node) =>
        JsonSerializer.SerializeToUtf8Bytes(node, random.Next(3) == 0 ? Escaped : Relaxed);

    // A message with one invalid field. The order of its fields and its unknown fields must not affect the error.
    private static FuzzInput CorruptField(Random random)
    {
        var shape = MessageTemplates.Draw(random);
        var fields = shape.Required.Length > 0 && random.Next(3) > 0 ? shape.Required : shape.Optional;
        var message = shape.Draw(random);
        if (fields.Length == 0)
        {
            return new(Write(random, message), null);
        }

        var field = fields[random.Next(fields.Length)];
        var bad = field.Bad[random.Next(field.Bad.Length)](random);
        var harmless = bad is null && fields == shape.Optional;
        if (bad is null && random.Next(2) == 0)
        {
            message.Remove(field.Name);
        }
        else
        {
            message[field.Name] = bad;
        }

        if (random.Next(2) == 0)
        {
            message["EXTRA"] = new JsonObject { ["deep"] = new JsonArray(1, "\ud83d\ude00", null, new JsonObject()) };
        }

        return new(Write(random, Shuffle(random, message)), harmless ? null : field.Name);
    }

    // A valid message whose last field repeats another one.
    private static FuzzInput DuplicateField(Random random)
    {
        var message = MessageTemplates.Draw(random).Draw(random);
        var (name, value) = message.ElementAt(random.Next(message.Count));
        var bytes = Write(random, message);
        return new([.. bytes[..^1], .. Encoding.UTF8.GetBytes($",\"{name}\":{(random.Next(2) == 0 ? "null" : value?.ToJsonString())}}}")], name);
    }

    private static FuzzInput CreateOversized(Random random)
    {
        var message = MessageTemplates.Draw(random).Draw(random);
        message["EXTRA"] = new string('x', random.Next(60_000, 140_000));
        var bytes = Write(random, message);
        return new(bytes, bytes.Length > 64 * 1024 ? "message" : null);
    }

    private static JsonObject Shuffle(Random random, JsonObject message)
    {
        var members = message.ToArray();
        random.Shuffle(members);
        message.Clear();
        return new JsonObject(members);
    }

    private static byte[] Flip(Random random, byte[] bytes)
    {
        var flipped = (byte[])bytes.Clone();
        flipped[random.Next(flipped.Length)] ^= (byte)(1 << random.Next(8));
        return flipped;
    }

    // A line end splits a message in two, so most of them are replaced.
    private static byte[] RemoveLineBreaks(Random random, byte[] bytes)
    {
        if (random.Next(4) > 0)
        {
            bytes.AsSpan().Replace((byte)'\n', (byte)' ');
        }

        return bytes;
    }
}

/// <summary>The input of a case.</summary>
/// <param name="Bytes">The bytes to send.</param>
/// <param name="Fault">The name with which the ERROR of the answer must begin; null when it is not known.</param>
internal sealed record FuzzInput(byte[] Bytes, string? Fault);
