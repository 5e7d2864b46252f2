using System.Buffers.Binary;
using System.Text.Unicode;

namespace Mesh.Fuzz;

/// <summary>Runs one WebSocket: messages in frames that may be fragmented or cut short, mixed with control frames, or random bytes (RFC 6455, 5.2).</summary>
internal static class WebSocketCase
{
    private const byte Text = 1;

    public static async Task RunAsync(FuzzServer server, Random random, ResponseCounter tally, CancellationToken limit)
    {
        var said = new MemoryStream();
        var wellFramed = random.Next(3) > 0;
        var errors = 0;
        var text = true;
        for (var messages = random.Next(1, FuzzServer.MaxErrors); messages > 0; messages--)
        {
            var (bytes, fault) = Mutator.Draw(random);
            errors += fault is null ? 0 : 1;
            text &= Utf8.IsValid(bytes);
            if (wellFramed)
            {
                WriteFragments(random, said, bytes);
            }
            else
            {
                said.Write(Frame(random, RandomOpcode(random), random.Next(2) == 0, bytes));
            }
        }

        var input = said.ToArray();
        var goodbye = wellFramed && random.Next(2) == 0;
        if (!wellFramed)
        {
            input = Mutator.Mutate(random, input);
        }
        else if (goodbye)
        {
            input = [.. input, .. Frame(random, 8, true, [0x03, 0xe8])];
        }

        var link = new InMemoryConnection();
        var serving = server.ServeWebSocketAsync(link.ServerEnd);
        var heard = await link.SendAndReadToEndAsync(input, limit);
        await serving.WaitAsync(limit);
        var told = ReadTextFrames(heard).Count(answer => ResponseChecker.Check(answer, tally));

        // After an incomplete frame or text that is not UTF-8, the server closes the connection without further answers.
        FuzzAssertionException.ThrowIf(goodbye && text && told < errors, $"at least {errors} messages were bad, and only {told} errors were sent");
        FuzzAssertionException.ThrowIf(told > FuzzServer.MaxErrors + 1, $"{told} errors were sent, more than the limit");
    }

    // Writes one message in one frame or several, with pings between the frames.
    private static void WriteFragments(Random random, MemoryStream said, byte[] bytes)
    {
        var opcode = Text;
        while (random.Next(3) == 0 && bytes.Length > 1)
        {
            var cut = random.Next(bytes.Length);
            said.Write(Frame(random, opcode, false, bytes[..cut]));
            said.Write(Frame(random, 9, true, []));
            bytes = bytes[cut..];
            opcode = 0;
        }

        said.Write(Frame(random, opcode, true, bytes));
    }

    private static byte RandomOpcode(Random random) => random.Next(3) == 0 ? (byte)random.Next(256) : random.Next(2) == 0 ? Text : (byte)random.Next(11);

    private static byte[] Frame(Random random, byte opcode, bool end, byte[] payload)
    {
        var frame = new MemoryStream();
        frame.WriteByte((byte)((end ? 0x80 : 0) | opcode));
        Span<byte> length = stackalloc byte[8];
        if (payload.Length < 126)
        {
            frame.WriteByte((byte)(0x80 | payload.Length));
        }
        else if (payload.Length <= ushort.MaxValue)
        {
            frame.WriteByte(0x80 | 126);
            BinaryPrimitives.WriteUInt16BigEndian(length, (ushort)payload.Length);
            frame.Write(length[..2]);
        }
        else
        {
            frame.WriteByte(0x80 | 127);
            BinaryPrimitives.WriteInt64BigEndian(length, payload.Length);
            frame.Write(length);
        }

        Span<byte> mask = stackalloc byte[4];
        random.NextBytes(mask);
        frame.Write(mask);
        for (var i = 0; i < payload.Length; i++)
        {
            frame.WriteByte((byte)(payload[i] ^ mask[i & 3]));
        }

        return frame.ToArray();
    }

    // The server sends unmasked, unfragmented frames. The last one may be cut short.
    private static List<byte[]> ReadTextFrames(byte[] heard)
    {
        var texts = new List<byte[]>();
        for (var at = 0; at + 2 <= heard.Length;)
        {
            var opcode = heard[at] & 0x0f;
            long length = heard[at + 1];
            at += 2;
            if (length == 126)
            {
                length = BinaryPrimitives.ReadUInt16BigEndian(heard.AsSpan(at));
                at += 2;
            }
            else if (length == 127)
            {
                length = BinaryPrimitives.ReadInt64BigEndian(heard.AsSpan(at));
                at += 8;
            }

            if (at + length > heard.Length)
            {
                break;
            }

            if (opcode == Text)
            {
                texts.Add(heard[at..(at + (int)length)]);
            }

            at += (int)length;
        }

        return texts;
    }
}
