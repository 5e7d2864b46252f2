using MeshAspire.Client;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;
using MeshClient = MeshAspire.Client.MeshClient;

namespace Mesh.Tests.Client;

/// <summary>Where the settings of a client come from, and how their faults are reported.</summary>
public sealed class ClientConfigurationTests
{
    [Fact]
    public void Settings_FromAllPlaces_LaterOnesWin()
    {
        var settings = Read(
            ("Mesh:Token", "mesh"), ("Mesh:Client:Token", "client"), ("Mesh:Client:server-a:Token", "named"),
            ("Mesh:Client:Endpoints:0", "http://one"), ("Mesh:Client:Endpoints:1", "http://two"), ("Mesh:Client:server-a:Endpoints", "http://three"),
            ("Mesh:Client:RetryLimit", "3"), ("Mesh:Client:server-a:RequestTimeout", "00:00:07"), ("Mesh:Client:server-b:RequestTimeout", "00:00:08"),
            ("ConnectionStrings:server-a", "http://four:1, http://five:2"));

        Assert.Equal(["http://four:1", "http://five:2"], settings.Endpoints);
        Assert.Equal(("named", 3, TimeSpan.FromSeconds(7)), (settings.Token, settings.RetryLimit, settings.RequestTimeout));
    }

    [Fact]
    public void ConnectionString_WithParts_HasAddressesAndToken()
    {
        var settings = Read(("ConnectionStrings:server-a", "Endpoint=http://one:1,https+http://two;Token=abc"));

        Assert.Equal(["http://one:1", "https+http://two"], settings.Endpoints);
        Assert.Equal("abc", settings.Token);
    }

    [Fact]
    public async Task Start_SeveralFaults_ReportsAllWithTheirVariables()
    {
        var builder = Host.CreateEmptyApplicationBuilder(null);
        builder.Configuration.AddInMemoryCollection(Values(
            ("Mesh:Client:Endpoints:0", "server-a:9001"), ("Mesh:Client:RequestTimeout", "soon"), ("Mesh:Client:RetryLimit", "-1"), ("Mesh:Client:server-a:DisableTracing", "maybe"),
            ("Mesh:Client:Tokn", "s3cret"), ("Mesh:Client:LongPollTime", "00:02:00"), ("ConnectionStrings:server-a", "Token=a b;Pasword=s3cret")));
        builder.AddMeshClient("server-a");
        using var host = builder.Build();

        var error = await Assert.ThrowsAsync<OptionsValidationException>(() => host.StartAsync(TestContext.Current.CancellationToken));

        Assert.Equal(
            [
                "ConnectionStrings__server-a has the unknown part pasword; it may have Endpoint and Token",
                "Mesh__Client__Endpoints__0 must be an address such as http://10.0.0.7:9001 or https+http://server-a, without user, query and fragment",
                "Mesh__Client__LongPollTime must lie between 00:00:01 and 00:01:00, and is 00:02:00",
                "Mesh__Client__RequestTimeout must be a time such as 00:00:10",
                "Mesh__Client__RetryLimit must lie between 0 and 1000000, and is -1",
                "Mesh__Client__Token must have visible ASCII characters only",
                "Mesh__Client__Tokn is unknown",
                "Mesh__Client__server-a__DisableTracing must be true or false",
            ],
            error.Failures.Order(StringComparer.Ordinal));
        Assert.Throws<OptionsValidationException>(host.Services.GetRequiredService<MeshClient>);
    }

    [Fact]
    public void Callback_ChangesTheSettingsAfterTheConfiguration()
    {
        var settings = Read(configure: settings => settings.Token += "!", ("Mesh:Token", "mesh"));

        Assert.Equal("mesh!", settings.Token);
    }

    [Fact]
    public void Constructor_SettingsNotValid_NamesThem()
    {
        using var http = new HttpClient();

        var error = Assert.Throws<ArgumentException>(() => new MeshClient(http, new() { Endpoints = { "server-a" }, RetryDelay = TimeSpan.Zero }));

        Assert.Contains("Mesh__Client__Endpoints__0", error.Message, StringComparison.Ordinal);
        Assert.Contains("Mesh__Client__RetryDelay", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Constructor_NameOfAService_RefersToAddMeshClient()
    {
        using var http = new HttpClient();

        var error = Assert.Throws<ArgumentException>(() => new MeshClient(http, new() { Endpoints = { "https+http://server-a" } }));

        Assert.Contains("add the client with AddMeshClient", error.Message, StringComparison.Ordinal);
    }

    private static MeshClientSettings Read(params (string Key, string? Value)[] values) => Read(configure: null, values);

    private static MeshClientSettings Read(Action<MeshClientSettings>? configure, params (string Key, string? Value)[] values)
    {
        var builder = Host.CreateEmptyApplicationBuilder(null);
        builder.Configuration.AddInMemoryCollection(Values(values));
        MeshClientSettings? read = null;
        builder.AddMeshClient("server-a", settings =>
        {
            configure?.Invoke(settings);
            read = settings;
        });
        return read!;
    }

    private static Dictionary<string, string?> Values(params (string Key, string? Value)[] values) => values.ToDictionary(value => value.Key, value => value.Value);
}
