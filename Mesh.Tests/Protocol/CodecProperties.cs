using System.Text;
using System.Text.Json;
using CsCheck;
using Mesh.Protocol;

namespace Mesh.Tests.Protocol;

public sealed class CodecProperties
{
    // The insertions of mutations: JSON tokens and other bytes.
    private static readonly byte[][] Tokens =
        [.. new[] { "\"", "{", "}", "[", "]", ",", ":", "null", "true", "-1", "1e999", "NaN", "\\u", "\\ud800", "\\", "\n", "\"TASK\": ", "\"\"" }.Select(Encoding.UTF8.GetBytes), [0xff], [0xc3], [0]];

    private static readonly Gen<byte[]> Mutated =
        from message in MessageGen.Any
        from edits in Gen.Select(Gen.Double[0, 1], Gen.Int[0, 12], Gen.Int[0, Tokens.Length - 1]).Array[1, 6]
        select edits.Aggregate(Wire.Bytes(message), Mutate);

    [Fact]
    public void Message_WrittenAndRead_IsTheSame() => MessageGen.Any.Sample(message => Assert.Equal(message, Wire.Read(Wire.Write(message))), iter: 20_000);

    [Fact]
    public void Message_WrittenAndReadFromSegments_IsTheSame() =>
        Gen.Select(MessageGen.Any, Gen.Double[0, 1].Array[0, 5]).Sample((message, cuts) =>
        {
            var bytes = Wire.Bytes(message);
            var sequence = Wire.Cut(bytes, cuts.Select(cut => (int)(cut * bytes.Length)).Order());
            Assert.True(MessageReader.TryRead(in sequence, out var read, out _));
            Assert.Equal(message, read);
        });

    [Fact]
    public void Message_Written_IsOneLineOfValidJson() =>
        MessageGen.Any.Sample(message =>
        {
            var bytes = Wire.Bytes(message);
            Assert.DoesNotContain((byte)'\n', bytes);
            Assert.DoesNotContain((byte)'\r', bytes);
            using var json = JsonDocument.Parse(bytes);
            Assert.Equal(JsonValueKind.Object, json.RootElement.ValueKind);
        });

    [Fact]
    public void AnyBytes_Read_GiveAMessageOrAnErrorThatNamesAField() => Gen.Byte.Array[0, 200].Sample(ReadsOrNames, iter: 5_000);

    [Fact]
    public void MutatedMessages_Read_GiveAMessageOrAnErrorThatNamesAField() => Mutated.Sample(ReadsOrNames, iter: 20_000);

    private static void ReadsOrNames(byte[] bytes)
    {
        if (MessageReader.TryRead(bytes, out var message, out var error))
        {
            Assert.Equal(message, Wire.Read(Wire.Write(message)));
        }
        else
        {
            Assert.NotEqual(default, error.Kind);
            Assert.NotEmpty(error.Field);
            Assert.NotEmpty(error.Detail);
        }
    }

    private static byte[] Mutate(byte[] bytes, (double At, int Remove, int Token) edit)
    {
        var at = (int)(edit.At * bytes.Length);
        return [.. bytes[..at], .. Tokens[edit.Token], .. bytes[Math.Min(at + edit.Remove, bytes.Length)..]];
    }
}
