using System.Text;
using CsCheck;
using Mesh.Protocol;

namespace Mesh.Tests.Protocol;

/// <summary>JSON values of every kind as text: each escape, unpaired surrogates, numbers beyond double, repeated properties.</summary>
internal static class JsonGen
{
    private static readonly Gen<string> Character = Gen.OneOf(
        Gen.Char[' ', '~'].Where(c => c is not ('"' or '\\')).Select(c => c.ToString()),
        Gen.OneOf("\\\"", "\\\\", "\\/", "\\b", "\\f", "\\n", "\\r", "\\t", "\\u0000", "\\u001F", "\\ud800", "\\uDC00", "\\ud83d\\ude00"),
        Gen.OneOf(" ", "\u007f", "\u00e3", "\u20ac", "\u2028", "\ufeff", "\uffff", "\U0001F600", "\U0010FFFF"));

    private static readonly Gen<string> Text = Character.Array[0, 12].Select(characters => $"\"{string.Concat(characters)}\"");

    private static readonly Gen<string> Number = Gen.OneOf(
        Gen.OneOf("0", "-0", "1e400", "-1E-400", "1E+2", "0.10", new string('9', 40), $"0.{new string('1', 40)}", "123456789e99999999999"),
        Gen.Long.Select(number => $"{number}"),
        Gen.Double[-1e9, 1e9].Select(number => $"{number}"));

    private static readonly Gen<string[]> Scalar = Gen.OneOf(Text, Number, Gen.OneOf("null", "true", "false")).Select(token => new[] { token });

    /// <summary>The tokens of a value.</summary>
    public static readonly Gen<string[]> Tokens = Gen.Recursive<string[]>((depth, nested) => depth >= 4
        ? Scalar
        : Gen.OneOf(
            Scalar,
            nested.Array[0, 3].Select(items => List("[", items, "]")),
            Gen.Select(Gen.OneOf(Text, Gen.OneOf("\"a\"", "\"TASK\"")), nested, (name, value) => new[] { name, ":" }.Concat(value).ToArray()).Array[0, 3].Select(members => List("{", members, "}"))));

    /// <summary>A value other than null.</summary>
    public static readonly Gen<RawJson> Value = Tokens.Select(Raw).Where(value => value.ToString() != "null");

    /// <summary>An array.</summary>
    public static readonly Gen<RawJson> Array = Tokens.Array[0, 4].Select(items => Raw(List("[", items, "]")));

    /// <summary>The tokens of a value, and its text with white space between them.</summary>
    public static readonly Gen<(string[] Tokens, string Text)> Spaced =
        from tokens in Tokens
        from spaces in Gen.OneOf("", " ", "\n", "\r\n", "\t", " \t \r\n \n").Array[tokens.Length + 1]
        select (tokens, spaces[0] + string.Concat(tokens.Zip(spaces.Skip(1), (token, space) => token + space)));

    private static string[] List(string open, string[][] items, string close) =>
        [open, .. items.SelectMany((item, i) => i == 0 ? item : [",", .. item]), close];

    private static RawJson Raw(string[] tokens) => RawJson.Copy(Encoding.UTF8.GetBytes(string.Concat(tokens)));
}
