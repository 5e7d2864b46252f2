using Mesh.Server.Discovery;
using Microsoft.Extensions.Configuration;

namespace Mesh.Tests.Server.Discovery;

public sealed class SettingsFileFaultsTests : IDisposable
{
    private readonly string _file = Path.Combine(Path.GetTempPath(), $"{Guid.NewGuid():N}.json");

    public void Dispose() => File.Delete(_file);

    [Fact]
    public void File_BrokenAndMended_IsReportedUntilItCanBeRead()
    {
        File.WriteAllText(_file, """{"Mesh": {"ServerId": "server-a"}}""");
        using var configuration = new ConfigurationManager();
        configuration.AddJsonFile(_file);
        var faults = new SettingsFileFaults();
        var occurred = 0;
        faults.Occurred += () => occurred++;
        faults.Watch(configuration);

        File.WriteAllText(_file, """{"Mesh": {"ServerId": "server-a" """);
        Assert.Throws<InvalidDataException>(((IConfigurationRoot)configuration).Reload);
        Assert.Contains("cannot be read", Assert.Single(faults.Current), StringComparison.Ordinal);
        Assert.Equal(1, occurred);

        File.WriteAllText(_file, "{}");
        ((IConfigurationRoot)configuration).Reload();
        Assert.Empty(faults.Current);
    }
}
