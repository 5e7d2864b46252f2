using Aspire.Hosting;

namespace Mesh.Tests.Embedded;

public sealed class PublishTests
{
    [Theory]
    [InlineData("The engine Embedded has no step 'publish'", "--operation", "publish", "--step", "publish", "--output-path", "out")]
    [InlineData("The engine Embedded has no step 'publish'", "--operation", "publish", "--output-path", "out")]
    [InlineData("--output-path is missing", "--publisher", "manifest")]
    [InlineData("The engine Embedded publishes Redis as a container", "--publisher", "manifest", "--output-path", "out", "--Mesh:Redis=external")]
    public async Task Publish_WhatCantBe_SaysWhatCan(string message, params string[] args)
    {
        await using var app = new EmbeddedApp(args);
        var fault = await Assert.ThrowsAsync<DistributedApplicationException>(() => app.App.StartAsync(TestContext.Current.CancellationToken));
        Assert.StartsWith(message, fault.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Publish_ToWhereNoFileCanBe_NamesThePath()
    {
        var path = Path.Combine(typeof(PublishTests).Assembly.Location, "out.json");
        await using var app = new EmbeddedApp("--publisher", "manifest", "--output-path", path);
        var fault = await Assert.ThrowsAsync<DistributedApplicationException>(() => app.App.StartAsync(TestContext.Current.CancellationToken));
        Assert.StartsWith($"--output-path can't be {path}: ", fault.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Operation_Unknown_IsNamed()
    {
        var fault = Assert.Throws<DistributedApplicationException>(() => DistributedApplication.CreateBuilder(["--operation", "deploy"]));
        Assert.Equal("--operation is 'deploy'; it must be run or publish.", fault.Message);
    }
}
