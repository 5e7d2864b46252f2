using Mesh.Common;
using Mesh.Server.Hosting.Options;
using MeshAspire.Worker;
using Microsoft.Extensions.Configuration;

namespace Mesh.Tests.Worker;

public sealed class MeshWorkerSettingsTests
{
    private readonly MeshWorkerSettingsValidator _validator = new();

    [Fact]
    public void Validate_RequiredValuesOnly_Succeeds() => Assert.True(_validator.Validate(null, Minimal()).Succeeded);

    [Fact]
    public void WorkerId_NotGiven_IsWorkerAndSixHexDigits() => Assert.Matches("^WORKER_[0-9a-f]{6}$", new MeshWorkerSettings().WorkerId);

    [Fact]
    public void Validate_AllWrong_NamesEveryKey()
    {
        var options = new MeshWorkerSettings
        {
            WorkerId = new string('ü', 65),
            Transport = (WorkerTransport)7,
            Concurrency = 0,
            WorkTime = TimeSpan.FromSeconds(-1),
            StopTimeout = TimeSpan.FromDays(1),
            RunningInterval = TimeSpan.Zero,
            Redirect = new() { Allowed = [" "] },
        };

        var faults = _validator.Validate(null, options).Failures!.Select(fault => fault.Split(' ')[0]);

        Assert.Equal(
            ["Mesh__WorkerId", "Mesh__HomeServer__Id", "Mesh__HomeServer__Endpoint", "Mesh__Transport", "Mesh__Concurrency", "Mesh__WorkTime",
                "Mesh__StopTimeout", "Mesh__RunningInterval", "Mesh__Redirect__Allowed__0"],
            faults);
    }

    [Theory]
    [InlineData("127.0.0.1:9001", true)]
    [InlineData("[::1]:9001", true)]
    [InlineData("http://server-a", true)]
    [InlineData("https+http://server-a", true)]
    [InlineData("server-a", true)]
    [InlineData("a b", false)]
    [InlineData("host:port", false)]
    [InlineData("ftp://server-a", false)]
    [InlineData("http://server-a/path", false)]
    public void Validate_HomeServerEndpoint_IsAnAddressOrAName(string endpoint, bool valid)
    {
        var options = Minimal();
        options.HomeServer.Endpoint = endpoint;

        Assert.Equal(valid, _validator.Validate(null, options).Succeeded);
    }

    [Fact]
    public void Read_Configuration_FillsAll()
    {
        var options = Read(
            ("Mesh:Transport", "tcp"),
            ("Mesh:Concurrency", "4"),
            ("Mesh:WorkTime", "00:00:00.250"),
            ("Mesh:Redirect:Allowed:0", "*.example.org"));

        Assert.Equal((WorkerTransport.Tcp, 4, TimeSpan.FromMilliseconds(250), "*.example.org"),
            (options.Transport, options.Concurrency, options.WorkTime, options.Redirect.Allowed.Single()));
        Assert.Empty(options.Unreadable);
    }

    [Fact]
    public void Read_InvalidValues_ReportsEach() => Assert.Equal(
        ["Mesh__Transport must be WebSocket or Tcp", "Mesh__Concurrency must be a whole number", "Mesh__WorkTime must be a time such as 00:00:15"],
        Read(("Mesh:Transport", "pigeon"), ("Mesh:Concurrency", "lots"), ("Mesh:WorkTime", "soon")).Unreadable);

    /// <summary>Servers and workers can be started with the same environment variables.</summary>
    [Fact]
    public void Read_SettingsOfServers_AreNotReportedAsMisspelt()
    {
        var own = typeof(MeshWorkerSettings).GetProperties().Select(property => property.Name);
        foreach (var name in typeof(MeshOptions).GetProperties().Select(property => property.Name).Except(own))
        {
            var options = Read(($"Mesh:{name}", "x"));
            Assert.Empty(options.Unreadable);
            Assert.Equal([$"Mesh__{name}"], options.Unknown);
        }
    }

    [Fact]
    public void Read_UnknownSettings_AreReportedWithTheNearestKnown()
    {
        var options = Read(("Mesh:Concurency", "4"), ("Mesh:HomeServer:Endpiont", "127.0.0.1:1"), ("Mesh:Balancing:MaxQueueThreshold", "9"));

        Assert.Equal(
            ["Mesh__Concurency is unknown; the nearest known setting is Mesh__Concurrency", "Mesh__HomeServer__Endpiont is unknown; the nearest known setting is Mesh__HomeServer__Endpoint"],
            options.Unreadable);
        Assert.Equal(["Mesh__Balancing"], options.Unknown);
    }

    [Fact]
    public void Validate_MoreSlotsThanAServerHolds_NamesTheKeyAndTheLimit()
    {
        var options = Minimal();
        options.Concurrency = 1025;

        Assert.Equal(
            ["Mesh__Concurrency is 1025; it must lie between 1 and 1024, the get_tasks that a server holds of one worker"], _validator.Validate(null, options).Failures);
    }

    private static MeshWorkerSettings Read(params (string Key, string Value)[] settings)
    {
        var configuration = new ConfigurationBuilder()
            .AddInMemoryCollection(settings.Select(setting => KeyValuePair.Create<string, string?>(setting.Key, setting.Value))).Build();
        var options = new MeshWorkerSettings();
        SettingsBinder.Bind(configuration.GetSection(MeshWorkerSettings.Section), options, options.Unreadable, options.Unknown);
        return options;
    }

    private static MeshWorkerSettings Minimal() => new() { HomeServer = new() { Id = "server-a", Endpoint = "127.0.0.1:9001" } };
}
