using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Mesh.Fuzz;

/// <summary>Bad messages: some of which it is known what must be said of them, and some of which nobody knows anything.</summary>
internal static class Mutator
{
    private static readonly JsonSerializerOptions Relaxed = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };
    private static readonly JsonSerializerOptions Escaped = new();

    // What JSON is made of, and bytes that are none.
    private static readonly byte[][] Tokens =
    [
        .. new[]
        {
            "\"", "{", "}", "[", "]", ",", ":", "null", "true", "-1", "1e999", "NaN", "\\u", "\\ud800", "\\u0000", "\\", "\n", "\r\n", "\"TASK\": ", "\"\"", "/*",
            "[[[[[[[[[[", "{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":1", "\"WORKER_UUID\":", "99999999999999999999999999999999999",
        }.Select(Encoding.UTF8.GetBytes),
        [0xff], [0xc3], [0], [0xed, 0xa0, 0x80], [0xef, 0xbb, 0xbf],
    ];

    /// <summary>One message without line ends.</summary>
    public static FuzzInput Draw(Random random) => random.Next(13) switch
    {
        12 => DuplicateField(random),
        < 3 => new(Write(random, MessageTemplates.Draw(random).Draw(random)), null),
        3 => new(RandomBytes(random), null),
        < 7 => CorruptField(random),
        7 when random.Next(50) == 0 => CreateOversized(random),
        _ => new(RemoveLineBreaks(random, Mutate(random, Write(random, MessageTemplates.Draw(random).Draw(random)))), null),
    };

    /// <summary>Bytes with edits of all kinds.</summary>
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

    // A message of a known shape with one fault, amid much that must not matter.
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

    // A good message, and one of its fields again at its end.
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

    // A line's end would make two messages of one.
    private static byte[] RemoveLineBreaks(Random random, byte[] bytes)
    {
        if (random.Next(4) > 0)
        {
            bytes.AsSpan().Replace((byte)'\n', (byte)' ');
        }

        return bytes;
    }
}

/// <param name="Bytes">What is said.</param>
/// <param name="Fault">What the answer's ERROR must begin with; null when that is not known.</param>
internal sealed record FuzzInput(byte[] Bytes, string? Fault);
