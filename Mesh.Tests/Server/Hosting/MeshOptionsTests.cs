using Mesh.Common;
using Mesh.Protocol;
using Mesh.Server.Core;
using Mesh.Server.Hosting;
using Mesh.Server.Hosting.Options;
using MeshAspire.Worker;
using Microsoft.Extensions.Configuration;

namespace Mesh.Tests.Server.Hosting;

public sealed class MeshOptionsTests
{
    [Fact]
    public void CreateSettings_ConfiguredSections_PassesEachToTheCore()
    {
        var (options, faults) = Read(
            ("Mesh:ServerId", "server-a"),
            ("Mesh:Peers:0:Id", "server-b"),
            ("Mesh:Peers:0:Endpoint", "http://server-b"),
            ("Mesh:Timing:HeartbeatJitter", "0.5"),
            ("Mesh:Balancing:MaxQueueThreshold", "99"),
            ("Mesh:Tasks:LeaseTime", "00:01:00"),
            ("Mesh:Loans:ReleaseTries", "7"),
            ("Mesh:Adoption:After", "00:00:20"),
            ("Mesh:Sessions:MaxWorkers", "12"),
            ("Mesh:Redirect:Allowed:0", "*.example.org"),
            ("Mesh:LinePeers:Allowed:0", "10.0.0.7"),
            ("Mesh:Producer:Enabled", "true"));

        Assert.Empty(faults);
        var settings = SettingsResolver.CreateSettings(options, new MeshEndpoint("localhost", 9001), []);
        Assert.Equal(
            new ServerSettings
            {
                Id = new ServerId("server-a"),
                Advertise = new MeshEndpoint("localhost", 9001),
                Peers = settings.Peers,
                Redirects = settings.Redirects,
                Timing = new() { HeartbeatJitter = 0.5 },
                Balancing = new() { MaxQueueThreshold = 99 },
                Tasks = new() { LeaseTime = TimeSpan.FromMinutes(1) },
                Loans = new() { ReleaseTries = 7 },
                Adoption = new() { After = TimeSpan.FromSeconds(20) },
                Sessions = new() { MaxWorkers = 12 },
            },
            settings);
        Assert.True(settings.Redirects.Match(new MeshEndpoint("b.example.org", 1)));
        Assert.Equal(("http://server-b", "10.0.0.7", true), (options.Peers[0].Endpoint, options.LinePeers.Allowed[0], options.Producer.Enabled));
    }

    [Theory]
    [InlineData("Mesh:ServerId", "", "Mesh__ServerId is missing")]
    [InlineData("Mesh:Advertise", "nowhere", "Mesh__Advertise must be host:port")]
    [InlineData("Mesh:Advertise", "host:0", "Mesh__Advertise must be host:port")]
    [InlineData("Mesh:Peers:0:Id", "server-b", "Mesh__Peers__0__Endpoint is missing")]
    [InlineData("Mesh:Token", " ", "Mesh__Token must not be blank")]
    [InlineData("ConnectionStrings:redis", "", "ConnectionStrings__redis is missing")]
    [InlineData("Mesh:Timing:HeartbeatInterval", "soon", "Mesh__Timing__HeartbeatInterval must be a time such as 00:00:15")]
    [InlineData("Mesh:Timing:HeartbeatInterval", "15", "Mesh__Timing__HeartbeatInterval is 15.00:00:00; it must lie between")]
    [InlineData("Mesh:Timing:HeartbeatJitter", "NaN", "Mesh__Timing__HeartbeatJitter is NaN; it must lie between 0 and 1")]
    [InlineData("Mesh:Balancing:MinQueueThreshold", "15", "Mesh__Balancing__MinQueueThreshold must be below Mesh__Balancing__MaxQueueThreshold")]
    [InlineData("Mesh:Tasks:MaxAttempts", "1.5", "Mesh__Tasks__MaxAttempts must be a whole number")]
    [InlineData("Mesh:Claim:Expiry", "00:00:00.5", "Mesh__Claim__Expiry is 00:00:00.5000000; it must lie between")]
    [InlineData("Mesh:LinePeers:Allowed:0", "example.org", "Mesh__LinePeers__Allowed__0 must be an IP address")]
    [InlineData("Mesh:LinePeers:Allowed:0", "10.0.0.0/33", "Mesh__LinePeers__Allowed__0 must be an IP address or a network such as 10.0.0.0/8")]
    [InlineData("Mesh:Redirect:Allowed:0", "http://borrower", "Mesh__Redirect__Allowed__0 must be host, host:port or *.domain")]
    [InlineData("Mesh:Tls:CaFile", "/no/such/file.pem", "Mesh__Tls__CaFile cannot be read")]
    [InlineData("Mesh:Token", "two words", "Mesh__Token must consist of visible ASCII characters")]
    [InlineData("Mesh:Peers:0:Endpoint", "ftp://server-b", "Mesh__Peers__0__Endpoint must be host:port or a service-discovery name")]
    [InlineData("Mesh:PeersFromDns:Name", "mesh-servers:8080", "Mesh__PeersFromDns__Name must be a DNS name without a port")]
    [InlineData("Mesh:PeersFromDns:Port", "0", "Mesh__PeersFromDns__Port is 0; it must lie between 1 and 65535")]
    [InlineData("Mesh:PeersFromDns:Interval", "00:00:00", "Mesh__PeersFromDns__Interval is 00:00:00; it must lie between")]
    [InlineData("Mesh:PeersFromDns:RemoveAfter", "-00:00:01", "Mesh__PeersFromDns__RemoveAfter is -00:00:01; it must lie between")]
    [InlineData("Mesh:Sessions:MaxMessageBytes", "65537", "Mesh__Sessions__MaxMessageBytes is 65537; it must lie between 16384 and 65536")]
    [InlineData("Mesh:Sessions:MaxConnectionsPerAddress", "0", "Mesh__Sessions__MaxConnectionsPerAddress is 0; it must lie between")]
    [InlineData("Mesh:Dashboard", "dashboard:18888", "Mesh__Dashboard must be a base URL")]
    [InlineData("Mesh:Dashboard", "http://host/?t=1", "Mesh__Dashboard must be a base URL")]
    [InlineData("Mesh:Supervisor:Endpoint", "supervisor", "Mesh__Supervisor__Endpoint must be host:port")]
    [InlineData("Mesh:Supervisor:Interval", "00:00:00", "Mesh__Supervisor__Interval is 00:00:00; it must lie between")]
    [InlineData("Mesh:Tasks:LineHoldTime", "00:00:02", "Mesh__Tasks__LineHoldTime is 00:00:02; it must lie between")]
    [InlineData("Mesh:Tasks:PriorityAge", "1.00:00:01", "Mesh__Tasks__PriorityAge is 1.00:00:01; it must lie between 00:00:00 and 1.00:00:00")]
    [InlineData("Mesh:Producer:Enabled", "perhaps", "Mesh__Producer__Enabled must be true or false")]
    [InlineData("Mesh:Tasks:HoldTime", "00:00:41", "Mesh__Tasks__HoldTime must not be longer than 00:00:40: a worker gives up a server that has not answered its get_task for 00:00:45")]
    [InlineData("Mesh:Tasks:LineWorkerTimeout", "00:00:01.5", "Mesh__Tasks__LineWorkerTimeout must be longer than Mesh__Tasks__LineHoldTime")]
    [InlineData("Mesh:Loans:MaxAge", "00:00:30", "Mesh__Loans__MaxAge must be longer than Mesh__Loans__ArrivalTimeout")]
    [InlineData("Mesh:Loans:MaxAge", "00:01:00", "Mesh__Loans__MaxAge must be longer than Mesh__Loans__ReturnTimeout")]
    [InlineData("Mesh:Token:0", "s3cret", "Mesh__Token must be a text")]
    [InlineData("Mesh:AcceptedTokens:Clients:0:Value", "s3cret", "Mesh__AcceptedTokens__Clients must be a list of texts")]
    [InlineData("Mesh:AcceptedTokens:Clients", "s3cret", "Mesh__AcceptedTokens__Clients must be a list of texts")]
    [InlineData("Mesh:Tokn", "s3cret", "Mesh__Tokn is unknown; the nearest known setting is Mesh__Token")]
    [InlineData("Mesh:Tasks:HoldTme", "00:00:10", "Mesh__Tasks__HoldTme is unknown; the nearest known setting is Mesh__Tasks__HoldTime")]
    [InlineData("Mesh:Timming:HeartbeatInterval", "00:00:10", "Mesh__Timming is unknown; the nearest known setting is Mesh__Timing")]
    [InlineData("Mesh:Tasks_HoldTime", "00:00:10", "Mesh__Tasks_HoldTime is unknown; the nearest known setting is Mesh__Tasks__HoldTime")]
    [InlineData("Mesh:Server:Id", "a", "Mesh__Server is unknown; the nearest known setting is Mesh__ServerId")]
    [InlineData("Mesh:Peers:0:Endpont", "127.0.0.1:1", "Mesh__Peers__0__Endpont is unknown; the nearest known setting is Mesh__Peers__0__Endpoint")]
    public void Validate_BadValue_NamesTheKey(string key, string value, string fault)
    {
        var (_, faults) = Read(("Mesh:ServerId", "server-a"), (key, value));

        Assert.Contains(faults, found => found.StartsWith(fault, StringComparison.Ordinal));
    }

    /// <summary>Servers and workers can be started with the same environment variables.</summary>
    [Fact]
    public void Read_SettingsOfWorkers_AreNotReportedAsMisspelt()
    {
        var own = typeof(MeshOptions).GetProperties().Select(property => property.Name);
        foreach (var name in typeof(MeshWorkerSettings).GetProperties().Select(property => property.Name).Except(own))
        {
            var (options, faults) = Read(("Mesh:ServerId", "server-a"), ($"Mesh:{name}", "x"));
            Assert.Empty(faults);
            Assert.Equal([$"Mesh__{name}"], options.Unknown);
        }
    }

    [Fact]
    public void Read_SettingsOfOtherPrograms_AreUnknownWithoutError()
    {
        var (options, faults) = Read(("Mesh:ServerId", "server-a"), ("mesh:stoptimeout", "00:00:20"), ("Mesh:HomeServer:Id", "a"), ("Mesh:WorkTime", "00:00:01"), ("Mesh:Tasks:Colour", "red"));

        Assert.Empty(faults);
        Assert.Equal(["Mesh__HomeServer", "Mesh__Tasks__Colour", "Mesh__WorkTime"], options.Unknown.Order());
    }

    [Fact]
    public void Validate_WavesThatNeverFit_NamesTheKey()
    {
        var (_, faults) = Read(("Mesh:ServerId", "server-a"), ("Mesh:Producer:Enabled", "true"), ("Mesh:Producer:Burst", "11"), ("Mesh:Tasks:Capacity", "10"));

        Assert.StartsWith("Mesh__Producer__Burst must not be above Mesh__Tasks__Capacity", Assert.Single(faults), StringComparison.Ordinal);
    }

    [Fact]
    public void Validate_SeveralFaults_AreReportedTogether()
    {
        var (_, faults) = Read(("Mesh:ServerId", ""), ("Mesh:Tasks:Capacity", "many"), ("Mesh:Tasks:LeaseTime", "-00:00:01"));

        Assert.Equal(3, faults.Count);
    }

    [Theory]
    [InlineData("127.0.0.1:9001", "127.0.0.1", 9001)]
    [InlineData("localhost:1", "localhost", 1)]
    [InlineData("[::1]:65535", "::1", 65535)]
    public void EndpointText_HostAndPort_IsParsed(string text, string host, int port)
    {
        Assert.True(MeshEndpoint.TryParse(text, out var endpoint));
        Assert.Equal(new MeshEndpoint(host, port), endpoint);
        Assert.Equal(text, endpoint.ToString());
    }

    [Theory]
    [InlineData("")]
    [InlineData("localhost")]
    [InlineData(":80")]
    [InlineData("localhost:")]
    [InlineData("localhost:65536")]
    [InlineData("localhost:-1")]
    [InlineData("::1:80")]
    [InlineData("http://localhost:80")]
    [InlineData("[localhost]:80")]
    public void EndpointText_OtherFormat_IsRefused(string text) => Assert.False(MeshEndpoint.TryParse(text, out _));

    private static (MeshOptions Options, List<string> Faults) Read(params (string Key, string Value)[] settings)
    {
        var values = new Dictionary<string, string?> { ["ConnectionStrings:redis"] = "127.0.0.1:6379" };
        foreach (var (key, value) in settings)
        {
            values[key] = value;
        }

        var configuration = new ConfigurationBuilder().AddInMemoryCollection(values).Build();
        var options = new MeshOptions();
        SettingsBinder.Bind(configuration.GetSection(MeshOptions.Section), options, options.Unreadable, options.Unknown);
        return (options, [.. new MeshOptionsValidator(configuration).Validate(null, options).Failures ?? []]);
    }
}
