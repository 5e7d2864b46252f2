using Mesh.Common;

namespace Mesh.Tests.ServiceDefaults;

public sealed class NearestNameTests
{
    private static readonly string[] Known = ["type", "user", "amount", "id", "HeartbeatInterval", "HeartbeatTimeout"];

    [Theory]
    [InlineData("Amount", "amount")]
    [InlineData("amuont", "amount")]
    [InlineData("ammount", "amount")]
    [InlineData("amonut", "amount")]
    [InlineData("ID", "id")]
    [InlineData("it", "id")]
    [InlineData("tpye", "type")]
    [InlineData("heartbeat_interval", "HeartbeatInterval")]
    [InlineData("HeartbeatTimeot", "HeartbeatTimeout")]
    [InlineData("", null)]
    [InlineData("balance", null)]
    [InlineData("priority", null)]
    public void Find_UnknownName_ReturnsTheNearestKnown(string name, string? nearest) => Assert.Equal(nearest, NearestName.Find(name, Known));

    [Fact]
    public void Find_LongName_ReturnsNull() => Assert.Null(NearestName.Find(new string('a', 100_000), Known));
}
