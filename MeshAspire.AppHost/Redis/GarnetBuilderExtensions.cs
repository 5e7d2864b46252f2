using System.Net;
using System.Net.Sockets;
using System.Text.Json;

internal static class GarnetBuilderExtensions
{
    /// <summary>Adds a Garnet that writes each change to a log on disk before it is acknowledged.</summary>
    /// <param name="builder">The AppHost's builder.</param>
    /// <param name="name">The resource's name.</param>
    /// <param name="data">The directory that keeps the data.</param>
    public static IResourceBuilder<GarnetResource> AddGarnet(this IDistributedApplicationBuilder builder, string name, DirectoryInfo data)
    {
        var password = ParameterResourceBuilderExtensions.CreateDefaultPasswordParameter(builder, $"{name}-password", special: false);
        var program = BuildMetadata.Get(builder, "garnetpath");
        return builder.AddResource(new GarnetResource(name, builder.AppHostDirectory, password))
            .WithEndpoint(name: GarnetResource.EndpointName, scheme: "redis", isProxied: false)
            .WithIconName("Database")
            // The default, the server's garbage collector, takes a heap for each core.
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

    // The password goes into a file that only this user can read; every user can see the arguments of a process.
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
        // Without it, what was acknowledged in the last moments is lost with the process.
        ["WaitForCommit"] = true,
        ["EnableLua"] = true,
        // Without it, scripts of different connections run at once and overwrite each other's updates.
        ["LuaTransactionMode"] = true,
        // Each connection whose write waits for the log holds a thread. The pool begins with one for each core and gains one or two a second: on two cores a dozen
        // connections would stand still for seconds.
        ["ThreadPoolMinThreads"] = 256,
        // The native device needs libaio.
        ["DeviceType"] = "RandomAccess",
        // Upper limits; the defaults are for servers of many gigabytes.
        ["LogMemorySize"] = "1g",
        ["PageSize"] = "4m",
        ["IndexMemorySize"] = "16m",
        ["QuietMode"] = true,
    };

    // Garnet ends when it cannot listen on an address that it was given, and in a container there often is no ::1.
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
