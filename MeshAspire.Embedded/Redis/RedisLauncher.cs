using System.Globalization;
using Aspire.Hosting;
using Aspire.Hosting.ApplicationModel;
using MeshAspire.Embedded.Running;
using Microsoft.Extensions.Configuration;

namespace MeshAspire.Embedded.Redis;

/// <summary>Decides what a <see cref="RedisResource"/> is on this machine, and how it is started.</summary>
internal sealed class RedisLauncher(
    IConfiguration configuration, AppHostProject project, GuardianClient guardian, ResourceConsole console, DistributedApplicationOptions options) : IDisposable
{
    /// <summary>What a Redis is: <c>garnet</c>, <c>redis-server</c>, <c>external</c>. Default: what the machine has.</summary>
    public const string Setting = "Mesh:Redis";

    private readonly List<FileStream> _locks = [];
    private readonly Dictionary<RedisResource, string> _temporary = [];

    /// <summary>Finds out whether the resource is to be started, or runs elsewhere already.</summary>
    public void Prepare(RedisResource redis)
    {
        var choice = configuration[Setting];
        redis.External = choice switch
        {
            "external" => configuration.GetConnectionString(redis.Name) is { Length: > 0 } configured ? configured : throw new DistributedApplicationException(
                $"{redis.Name} can't start: {Setting} is external, so ConnectionStrings__{redis.Name} must say where it runs."),
            null or "" or "garnet" or "redis-server" => null,
            _ => throw new DistributedApplicationException(
                $"{redis.Name} can't start: {Setting} is '{choice}'; it can be garnet, redis-server or external."),
        };
    }

    /// <summary>Null for one that runs elsewhere.</summary>
    public async Task<ProcessSpec?> SpecAsync(
        RedisResource redis, IReadOnlyDictionary<string, string> environment, CancellationToken cancellationToken)
    {
        if (redis.External is { } external)
        {
            var address = RedisAddress.Parse(external);
            console.Say(redis.Name, $"the one at {address.Host}:{address.Port}, as configured");
            return null;
        }

        var server = DotNet.OnPath("redis-server") ?? DotNet.OnPath("valkey-server");
        return configuration[Setting] switch
        {
            "redis-server" when server is null => throw new DistributedApplicationException(
                $"{redis.Name} can't start: {Setting} is redis-server, but neither redis-server nor valkey-server is on the PATH."),
            "garnet" => await GarnetAsync(redis, environment, cancellationToken),
            _ when server is null => await GarnetAsync(redis, environment, cancellationToken),
            _ => await ServerAsync(redis, server, environment, cancellationToken),
        };
    }

    public void Dispose() => _locks.ForEach(held => held.Dispose());

    private async Task<ProcessSpec> ServerAsync(
        RedisResource redis, string server, IReadOnlyDictionary<string, string> environment, CancellationToken cancellationToken)
    {
        var data = DataDirectory(redis, "redis-server");
        console.Say(redis.Name, $"{server}, data in {data}");
        var file = SecretFile(redis, "redis.conf", $"""
            port {redis.PrimaryEndpoint.Port.ToString(CultureInfo.InvariantCulture)}
            bind 127.0.0.1 -::1
            requirepass {await PasswordAsync(redis, cancellationToken)}
            dir "{data}"
            appendonly yes
            appendfsync everysec
            save ""
            loglevel warning
            """);
        return new ProcessSpec(server, [file], data, environment);
    }

    private async Task<ProcessSpec> GarnetAsync(
        RedisResource redis, IReadOnlyDictionary<string, string> environment, CancellationToken cancellationToken)
    {
        var tool = await GarnetTool.FindAsync(project.ProjectDirectory, text => console.Say(redis.Name, text), cancellationToken);
        var data = DataDirectory(redis, "garnet");
        console.Say(redis.Name, $"Garnet {tool.Version}, data in {data}");
        var file = SecretFile(redis, "garnet.conf", GarnetSettings.Json(data, await PasswordAsync(redis, cancellationToken)));
        string[] arguments = ["exec", tool.Assembly, "--config-import-path", file, "--port", redis.PrimaryEndpoint.Port.ToString(CultureInfo.InvariantCulture)];
        return new ProcessSpec(DotNet.Path, arguments, data, new Dictionary<string, string>(environment) { [GarnetSettings.Variable.Key] = GarnetSettings.Variable.Value });
    }

    private static async Task<string> PasswordAsync(RedisResource redis, CancellationToken cancellationToken) =>
        await redis.PasswordParameter!.GetValueAsync(cancellationToken) ?? "";

    private string DataDirectory(RedisResource redis, string kind)
    {
        if (redis.Volume is { } volume && !options.Isolated)
        {
            var directory = Path.Combine(project.DataDirectory(volume), kind);
            Directory.CreateDirectory(directory);
            if (TryLock(Path.Combine(directory, ".lock")))
            {
                return directory;
            }

            console.Say(redis.Name, "another run has the data in use: this one begins empty, and keeps nothing");
        }

        // The same for each start of this run.
        return _temporary.TryGetValue(redis, out var known) ? known : _temporary[redis] = Temporary();
    }

    /// <summary>One run at a time may use the data; the lock goes with the process, however it ends.</summary>
    private bool TryLock(string file)
    {
        if (_locks.Any(held => held.Name == file))
        {
            return true;
        }

        try
        {
            _locks.Add(new FileStream(file, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None));
            return true;
        }
        catch (IOException)
        {
            return false;
        }
    }

    // A file of a directory that only this user can read: arguments, which hold no secret, are for every user to see.
    private string SecretFile(RedisResource redis, string name, string text)
    {
        var file = Path.Combine(Temporary(), $"{redis.Name}-{name}");
        File.WriteAllText(file, text);
        return file;
    }

    private string Temporary()
    {
        var directory = Directory.CreateTempSubdirectory("meshaspire-").FullName;
        guardian.DeleteAtEnd(directory);
        return directory;
    }
}
