using Mesh.Protocol;

namespace Mesh.Tests.Protocol;

public sealed class EndpointPatternTests
{
    [Theory]
    [InlineData("10.0.0.2", "10.0.0.2", 9, true)]
    [InlineData("10.0.0.2:9", "10.0.0.2", 9, true)]
    [InlineData("10.0.0.2:9", "10.0.0.2", 8, false)]
    [InlineData("10.0.0.2", "10.0.0.20", 9, false)]
    [InlineData("Host.example", "host.EXAMPLE", 9, true)]
    [InlineData("*.example.org", "a.b.example.ORG", 9, true)]
    [InlineData("*.example.org:9", "a.example.org", 9, true)]
    [InlineData("*.example.org:9", "a.example.org", 8, false)]
    [InlineData("*.example.org", "example.org", 9, false)]
    [InlineData("*.example.org", "badexample.org", 9, false)]
    [InlineData("::1", "::1", 9, true)]
    [InlineData("[::1]:9", "::1", 9, true)]
    [InlineData("[::1]:9", "::1", 8, false)]
    public void Pattern_Matches(string pattern, string host, int port, bool matches)
    {
        Assert.True(EndpointPattern.TryParse(pattern, out var parsed));
        Assert.Equal(matches, parsed.Matches(new MeshEndpoint(host, port)));
    }

    [Theory]
    [InlineData("")]
    [InlineData(" ")]
    [InlineData("*")]
    [InlineData("*.")]
    [InlineData("a b")]
    [InlineData("host:")]
    [InlineData("host:0")]
    [InlineData("host:65536")]
    [InlineData("host:port")]
    [InlineData("[::1]9")]
    [InlineData("http://host")]
    public void Pattern_InvalidText_IsRefused(string text) => Assert.False(EndpointPattern.TryParse(text, out _));
}
