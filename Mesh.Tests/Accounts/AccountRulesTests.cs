using System.Globalization;
using Mesh.Accounts;

namespace Mesh.Tests.Accounts;

public sealed class AccountRulesTests
{
    [Theory]
    [InlineData("0", null)]
    [InlineData("-12.5", null)]
    [InlineData("0.0001", null)]
    [InlineData("1.50000000", null)]
    [InlineData("100000000000000", null)]
    [InlineData("0.00001", "must not have more than 4 decimals")]
    [InlineData("100000000000000.0001", "must lie between -100000000000000 and 100000000000000")]
    [InlineData("-79228162514264337593543950335", "must lie between -100000000000000 and 100000000000000")]
    public void CheckAmount_BoundaryValue_ReturnsError(string amount, string? fault) =>
        Assert.Equal(fault, AccountRules.CheckAmount(decimal.Parse(amount, CultureInfo.InvariantCulture)));

    [Fact]
    public void CheckBalance_Negative_ReturnsError() => Assert.Equal("must not be negative", AccountRules.CheckBalance(-1));

    [Theory]
    [InlineData("maria", null)]
    [InlineData("joão 😀", null)]
    [InlineData("", "must not be empty")]
    [InlineData(null, "must not be empty")]
    [InlineData("a\nb", "must not contain control characters")]
    public void CheckUser_BoundaryValue_ReturnsError(string? user, string? fault) => Assert.Equal(fault, AccountRules.CheckUser(user));

    [Fact]
    public void CheckUser_UnpairedSurrogate_ReturnsError() => Assert.Equal("must be valid Unicode", AccountRules.CheckUser("a" + (char)0xD800));

    [Fact]
    public void CheckUser_Length_IsBounded()
    {
        Assert.Null(AccountRules.CheckUser(new string('x', 128)));
        Assert.Equal("must not be longer than 128 characters", AccountRules.CheckUser(new string('x', 129)));
    }
}
