using Aspire.Hosting;
using Aspire.Hosting.ApplicationModel;

namespace Mesh.Tests.Embedded;

public sealed class EnvironmentTests
{
    [Fact]
    public async Task Project_WithHttpEndpoint_ListensWhereItsEndpointSays()
    {
        await using var app = new EmbeddedApp();
        var server = app.Builder.AddProject<Runs>("server-a").WithHttpEndpoint();
        var environment = await app.EnvironmentAsync(server.Resource);
        Assert.Equal(server.GetEndpoint("http").Url, environment["ASPNETCORE_URLS"]);
        Assert.InRange(server.GetEndpoint("http").Port, 20_000, 30_000);
    }

    [Fact]
    public async Task Project_WithReferenceToServer_IsToldWhereAsServiceDiscoveryReadsIt()
    {
        await using var app = new EmbeddedApp();
        var server = app.Builder.AddProject<Runs>("server-a").WithHttpEndpoint();
        var worker = app.Builder.AddProject<Runs>("worker").WithReference(server);
        var environment = await app.EnvironmentAsync(worker.Resource);
        Assert.Equal(server.GetEndpoint("http").Url, environment["services__server-a__http__0"]);
        Assert.Equal(server.GetEndpoint("http").Url, environment["SERVER_A_HTTP"]);
    }

    [Fact]
    public async Task Project_WithReferenceToRedis_GetsConnectionStringWholeAndInParts()
    {
        await using var app = new EmbeddedApp("--Parameters:redis-password=secret");
        var redis = app.Builder.AddRedis("redis");
        var worker = app.Builder.AddProject<Runs>("worker").WithReference(redis);
        var environment = await app.EnvironmentAsync(worker.Resource);
        var port = redis.Resource.PrimaryEndpoint.Port;
        Assert.Equal($"localhost:{port},password=secret", environment["ConnectionStrings__redis"]);
        Assert.Equal("localhost", environment["REDIS_HOST"]);
        Assert.Equal($"{port}", environment["REDIS_PORT"]);
        Assert.Equal("secret", environment["REDIS_PASSWORD"]);
        Assert.Equal($"redis://:secret@localhost:{port}", environment["REDIS_URI"]);
    }

    [Fact]
    public async Task Project_Always_NamesItselfToTelemetry()
    {
        await using var app = new EmbeddedApp();
        var worker = app.Builder.AddProject<Runs>("worker");
        var environment = await app.EnvironmentAsync(worker.Resource);
        Assert.Equal("worker", environment["OTEL_SERVICE_NAME"]);
        Assert.Equal("service.instance.id=worker-1", environment["OTEL_RESOURCE_ATTRIBUTES"]);
    }

    [Fact]
    public async Task Parameter_Generated_IsTheSameForEachConsumer()
    {
        await using var app = new EmbeddedApp();
        var token = app.Builder.AddParameter("token", new GenerateParameterDefault { MinLength = 32, Special = false }, secret: true);
        var one = app.Builder.AddProject<Runs>("one").WithEnvironment("Mesh__Token", token);
        var two = app.Builder.AddProject<Runs>("two").WithEnvironment("Mesh__Token", token);
        var value = (await app.EnvironmentAsync(one.Resource))["Mesh__Token"];
        Assert.Matches("^[A-Za-z0-9]{32}$", value);
        Assert.Equal(value, (await app.EnvironmentAsync(two.Resource))["Mesh__Token"]);
    }

    [Fact]
    public async Task Parameter_WithoutValue_IsNamedWithItsVariable()
    {
        await using var app = new EmbeddedApp();
        var worker = app.Builder.AddProject<Runs>("worker").WithEnvironment("Mesh__Token", app.Builder.AddParameter("token", secret: true));
        var fault = await Assert.ThrowsAsync<DistributedApplicationException>(() => app.EnvironmentAsync(worker.Resource));
        Assert.Equal(
            "worker can't start: Mesh__Token: The parameter 'token' has no value: set Parameters:token, as an environment variable Parameters__token.",
            fault.Message);
    }

    [Fact]
    public async Task Endpoint_HostAndPort_IsResolvedInAnExpression()
    {
        await using var app = new EmbeddedApp();
        var server = app.Builder.AddProject<Runs>("server-a").WithHttpEndpoint(port: Unused.Port());
        var address = server.GetEndpoint("http").Property(EndpointProperty.HostAndPort);
        await app.EnvironmentAsync(server.Resource);
        var expression = ReferenceExpression.Create($"{{tcp}}://{address}/mesh");
        Assert.Equal($"{{tcp}}://localhost:{server.GetEndpoint("http").Port}/mesh", await expression.GetValueAsync(TestContext.Current.CancellationToken));
        Assert.Equal("{tcp}://{server-a.bindings.http.host}:{server-a.bindings.http.port}/mesh", expression.ValueExpression);
    }

    [Theory]
    [InlineData("localhost:7000,password=a=b,abortConnect=false", "localhost", 7000, "a=b", false)]
    [InlineData("redis.example.org,ssl=True,user=me", "redis.example.org", 6380, null, true)]
    [InlineData("[::1]:6379", "[::1]", 6379, null, false)]
    public void RedisAddress_OfConnectionString_IsWhatTheClientConnectsTo(string text, string host, int port, string? password, bool tls)
    {
        var address = MeshAspire.Embedded.Redis.RedisAddress.Parse(text);
        Assert.Equal((host, port, password, tls), (address.Host, address.Port, address.Password, address.Tls));
    }
}
