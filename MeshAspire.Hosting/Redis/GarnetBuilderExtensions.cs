using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using Aspire.Hosting;
using Aspire.Hosting.ApplicationModel;

namespace MeshAspire.Hosting.Redis;

internal static class GarnetBuilderExtensions
{
    /// <summary>Adds a Garnet server that writes each change to a log on disk before it acknowledges the change.</summary>
    /// <param name="builder">The builder of the AppHost.</param>
    /// <param name="name">The name of the resource.</param>
    /// <param name="data">The directory of the data.</param>
    public static IResourceBuilder<GarnetResource> AddGarnet(this IDistributedApplicationBuilder builder, string name, DirectoryInfo data)
    {
        var password = ParameterResourceBuilderExtensions.CreateDefaultPasswordParameter(builder, $"{name}-password", special: false);
        var program = BuildMetadata.Get(builder, "garnetpath");
        return builder.AddResource(new GarnetResource(name, builder.AppHostDirectory, password))
            .WithEndpoint(name: GarnetResource.EndpointName, scheme: "redis", isProxied: false)
            .WithIconName("Database")
            // The default is the server garbage collector, which allocates a heap for each core.
            .WithEnvironment("DOTNET_gcServer", "0")
            .WithArgs(async context =>
            {
                var garnet = (GarnetResource)context.Resource;
                context.Args.Add("exec");
                context.Args.Add(program);
                context.Args.Add("--config-import-path");
                context.Args.Add(await WriteConfigurationAsync(data.FullName, await garnet.Password.GetValueAsync(context.CancellationToken) ?? "", context.CancellationToken));
                context.Args.Add("--port");
                context.Args.Add(garnet.Endpoint.Property(EndpointProperty.TargetPort));
            });
    }

    // The password is written to a file that only the current user can read, because all users can see the arguments of a process.
    private static async Task<string> WriteConfigurationAsync(string data, string password, CancellationToken cancellationToken)
    {
        var file = Path.Combine(data, "garnet.conf");
        var options = new FileStreamOptions { Mode = FileMode.Create, Access = FileAccess.Write };
        if (!OperatingSystem.IsWindows())
        {
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        }

        await using var stream = new FileStream(file, options);
        await JsonSerializer.SerializeAsync(stream, Configuration(data, password), cancellationToken: cancellationToken);
        return file;
    }

    private static Dictionary<string, object> Configuration(string data, string password) => new()
    {
        ["Address"] = HasIPv6Loopback() ? "127.0.0.1,::1" : "127.0.0.1",
        ["AuthenticationMode"] = "Password",
        ["Password"] = password,
        ["CheckpointDir"] = data,
        ["EnableAOF"] = true,
        ["Recover"] = true,
        ["AofSizeLimit"] = "256m",
        // Without this option, the most recently acknowledged writes are lost when the process is killed.
        ["WaitForCommit"] = true,
        ["EnableLua"] = true,
        // Without this option, scripts of different connections run concurrently and overwrite each other's updates.
        ["LuaTransactionMode"] = true,
        // Each connection that waits for the log blocks a thread. The thread pool starts with one thread for each core and adds one or two per second, so on two cores
        // a dozen connections would wait for seconds.
        ["ThreadPoolMinThreads"] = 256,
        // The native device requires libaio.
        ["DeviceType"] = "RandomAccess",
        // These are upper limits. The defaults are for servers with many gigabytes.
        ["LogMemorySize"] = "1g",
        ["PageSize"] = "4m",
        ["IndexMemorySize"] = "16m",
        ["QuietMode"] = true,
    };

    // Garnet exits when it cannot listen on one of its addresses, and containers often have no ::1.
    private static bool HasIPv6Loopback()
    {
        try
        {
            using var listener = new TcpListener(IPAddress.IPv6Loopback, 0);
            listener.Start();
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }
}
