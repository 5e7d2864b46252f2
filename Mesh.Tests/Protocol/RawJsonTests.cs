using System.Text;
using System.Text.Json;
using CsCheck;
using Mesh.Protocol;

namespace Mesh.Tests.Protocol;

public sealed class RawJsonTests
{
    private const int Depth = 16;

    [Fact]
    public void Copy_AnyValueWithWhiteSpace_RemovesOnlyTheWhiteSpaceBetweenTokens() =>
        JsonGen.Spaced.Sample(json => Assert.Equal(string.Concat(json.Tokens), Copy(json.Text).ToString()), iter: 2_000);

    [Fact]
    public void TryParse_AnyValueWithWhiteSpace_IsTheSameAsCopy() =>
        JsonGen.Spaced.Sample(json =>
        {
            Assert.True(TryParse(json.Text, out var value));
            Assert.Equal(Copy(json.Text), value);
        });

    [Theory]
    [InlineData("", "")]
    [InlineData(" \r\n\t", "")]
    [InlineData(" 1 ", "1")]
    [InlineData("\" a \\\" b \\\\\" ", "\" a \\\" b \\\\\"")]
    [InlineData("{ \"a b\" : [ 1 , 2 ] , \"a b\" : \"\\ud800 \" }", "{\"a b\":[1,2],\"a b\":\"\\ud800 \"}")]
    public void Copy_Text_GivesItsTokens(string json, string expected)
    {
        var value = Copy(json);
        Assert.Equal(expected, value.ToString());
        Assert.Equal(Encoding.UTF8.GetBytes(expected), value.Utf8.ToArray());
        Assert.Equal(Encoding.UTF8.GetByteCount(expected), value.Length);
    }

    [Theory]
    [InlineData("")]
    [InlineData(" ")]
    [InlineData("[")]
    [InlineData("[1,]")]
    [InlineData("{\"a\"}")]
    [InlineData("\"a\nb\"")]
    [InlineData("\"\\x\"")]
    [InlineData("01")]
    [InlineData("NaN")]
    [InlineData("1 2")]
    [InlineData("[]]")]
    [InlineData("// a comment\n1")]
    [InlineData("\uFEFF1")]
    public void TryParse_NotOneValue_ReturnsFalse(string json)
    {
        Assert.False(TryParse(json, out var value));
        Assert.Equal(default, value);
    }

    [Fact]
    public void TryParse_InvalidUtf8_ReturnsFalse() => Assert.False(RawJson.TryParse([(byte)'"', 0xC3, (byte)'"'], Depth, out _));

    [Theory]
    [InlineData(0, true)]
    [InlineData(1, true)]
    [InlineData(Depth, true)]
    [InlineData(Depth + 1, false)]
    [InlineData(Depth + 2, false)]
    [InlineData(5000, false)]
    public void TryParse_DepthAroundLimit_IsAcceptedOrRefused(int depth, bool fits)
    {
        foreach (var (open, close) in new[] { ("[", "]"), ("{\"x\":", "}") })
        {
            var json = string.Concat(Enumerable.Repeat(open, depth)) + "1" + string.Concat(Enumerable.Repeat(close, depth));
            Assert.Equal(fits, TryParse(json, out var value));
            Assert.Equal(fits ? json : "", value.ToString());
        }
    }

    [Fact]
    public void TryParse_WithoutDepth_AcceptsScalarsOnly()
    {
        Assert.True(RawJson.TryParse("\"a\""u8, 0, out _));
        Assert.False(RawJson.TryParse("[]"u8, 0, out _));
    }

    [Theory]
    [InlineData("0", "0")]
    [InlineData("-12.50", "-12.50")]
    [InlineData("1e2", "100")]
    [InlineData("79228162514264337593543950335", "79228162514264337593543950335")]
    [InlineData("1e-30", null)]
    [InlineData("1e400", null)]
    [InlineData("\"1\"", null)]
    [InlineData("[1]", null)]
    [InlineData("null", null)]
    [InlineData("", null)]
    public void TryGetDecimal_Value_ReturnsExactNumbersOnly(string json, string? expected)
    {
        Assert.Equal(expected is not null, Copy(json).TryGetDecimal(out var number));
        Assert.Equal(expected is null ? 0 : decimal.Parse(expected, System.Globalization.CultureInfo.InvariantCulture), number);
    }

    [Fact]
    public void Of_Decimal_KeepsItsScale() => Gen.Decimal.Sample(number =>
    {
        Assert.True(RawJson.Of(number).TryGetDecimal(out var read));
        Assert.Equal(decimal.GetBits(number == 0 ? Math.Abs(number) : number), decimal.GetBits(number == 0 ? Math.Abs(read) : read));
    });

    [Fact]
    public void Of_Element_IsItsText() => JsonGen.Spaced.Sample(json =>
    {
        using var document = JsonDocument.Parse(json.Text);
        Assert.Equal(Copy(json.Text), RawJson.Of(document.RootElement));
    });

    [Fact]
    public void Equals_ComparesTheText()
    {
        Assert.True(Copy("[ 1 ]") == Copy("[1]"));
        Assert.Equal(Copy("[ 1 ]").GetHashCode(), Copy("[1]").GetHashCode());
        Assert.True(Copy("1") != Copy("1.0"));
        Assert.True(Copy("") == default);
        Assert.False(Copy("1").Equals((object)"1"));
    }

    private static RawJson Copy(string json) => RawJson.Copy(Encoding.UTF8.GetBytes(json));

    private static bool TryParse(string json, out RawJson value) => RawJson.TryParse(Encoding.UTF8.GetBytes(json), Depth, out value);
}
