using System.Globalization;
using System.Text;
using Mesh.Protocol;

namespace Mesh.Tests.Protocol;

public sealed class JsonNumbersTests
{
    [Theory]
    [InlineData("0", 0)]
    [InlineData("-0", 0)]
    [InlineData("0.000000e-99", 0)]
    [InlineData("12.50", 1)]
    [InlineData("1.25e1", 1)]
    [InlineData("1E+2", 0)]
    [InlineData("100e-2", 0)]
    [InlineData("1200e-3", 1)]
    [InlineData("1e-30", 30)]
    [InlineData("0.00009999999999999999999999999999999", 35)]
    [InlineData("1e-99999999999", int.MaxValue)]
    public void CountDecimals_Number_ReturnsTheRequiredDigits(string number, int decimals) => Assert.Equal(decimals, JsonNumbers.CountDecimals(Encoding.UTF8.GetBytes(number)));

    [Theory]
    [InlineData("12.50000000000000000000000000000000000000", true)]
    [InlineData("0.0000000000000000000000000001", true)]
    [InlineData("79228162514264337593543950335", true)]
    [InlineData("-7.9228162514264337593543950335", true)]
    [InlineData("1e-30", false)]
    [InlineData("1.00000000000000000000000000001", false)]
    [InlineData("1234567890123456789012345678.125", false)]
    public void IsExact_Number_ReturnsWhetherDecimalRoundsIt(string number, bool exact) => Assert.Equal(exact, JsonNumbers.IsExact(Encoding.UTF8.GetBytes(number), decimal.Parse(number, NumberStyles.Float, CultureInfo.InvariantCulture)));
}
