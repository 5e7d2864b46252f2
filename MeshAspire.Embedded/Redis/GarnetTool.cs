using System.Diagnostics;
using System.Text.Json;
using System.Xml.Linq;
using Aspire.Hosting;
using MeshAspire.Embedded.Running;

namespace MeshAspire.Embedded.Redis;

/// <summary>Garnet, as the .NET tool <c>garnet-server</c> that the nearest tool manifest pins.</summary>
internal sealed record GarnetTool(string Version, string Assembly)
{
    private const string Package = "garnet-server";

    /// <summary>Finds the tool, fetching it first where it is missing.</summary>
    /// <exception cref="DistributedApplicationException">There is none; the message says what to do.</exception>
    public static async Task<GarnetTool> FindAsync(string directory, Action<string> say, CancellationToken cancellationToken)
    {
        var manifest = Manifest(directory) ?? throw new DistributedApplicationException(
            $"Garnet can't be had: no .config/dotnet-tools.json names {Package} in {directory} or above it.");
        var version = PinnedVersion(manifest);
        var packages = await PackagesAsync(cancellationToken);
        if ((EntryPoint(packages, version) ?? Resolved(version)) is { } found)
        {
            return new(version, found);
        }

        say($"fetching Garnet {version}, a .NET tool of some 110 MB, once for this machine");
        var (exitCode, output) = await RunAsync(["tool", "restore", "--tool-manifest", manifest], cancellationToken);
        return (EntryPoint(packages, version) ?? Resolved(version)) is { } fetched ? new(version, fetched) : throw new DistributedApplicationException(
            $"Garnet can't be had: dotnet tool restore ended with exit code {exitCode}.{Environment.NewLine}{output.Trim()}{Environment.NewLine}" +
            "Instead, put a redis-server or valkey-server on the PATH, or set Mesh__Redis to external and ConnectionStrings__redis to a Redis that runs.");
    }

    private static string? Manifest(string directory)
    {
        for (var at = new DirectoryInfo(directory); at is not null; at = at.Parent)
        {
            var file = Path.Combine(at.FullName, ".config", "dotnet-tools.json");
            if (File.Exists(file))
            {
                return file;
            }
        }

        return null;
    }

    private static string PinnedVersion(string manifest)
    {
        using var json = JsonDocument.Parse(File.ReadAllText(manifest));
        return json.RootElement.TryGetProperty("tools", out var tools)
            && tools.TryGetProperty(Package, out var tool)
            && tool.TryGetProperty("version", out var version)
                ? version.GetString()!
                : throw new DistributedApplicationException($"Garnet can't be had: {manifest} doesn't name {Package}.");
    }

    private static string? EntryPoint(string packages, string version)
    {
        var tools = Path.Combine(packages, Package, version, "tools");
        var settings = Directory.Exists(tools)
            ? Directory.EnumerateFiles(tools, "DotnetToolSettings.xml", SearchOption.AllDirectories)
                .Where(file => Path.GetFileName(Path.GetDirectoryName(file)) == "any")
                .OrderDescending(StringComparer.Ordinal).FirstOrDefault()
            : null;
        return settings is not null && XDocument.Load(settings).Descendants("Command").FirstOrDefault()?.Attribute("EntryPoint")?.Value is { } entry
            ? Path.Combine(Path.GetDirectoryName(settings)!, entry)
            : null;
    }

    /// <summary>
    /// Where the SDK has noted that the tool is: when the folder of packages has moved since, it restores nothing and goes by this note.
    /// </summary>
    private static string? Resolved(string version)
    {
        var home = Environment.GetEnvironmentVariable("DOTNET_CLI_HOME") is { Length: > 0 } configured
            ? configured
            : Environment.GetFolderPath(Environment.SpecialFolder.UserProfile);
        var note = Path.Combine(home, ".dotnet", "toolResolverCache", "1", Package);
        if (!File.Exists(note))
        {
            return null;
        }

        using var json = JsonDocument.Parse(File.ReadAllText(note));
        return json.RootElement.EnumerateArray()
            .Where(tool => tool.TryGetProperty(nameof(Version), out var one) && one.GetString() == version)
            .Select(tool => tool.TryGetProperty("PathToExecutable", out var path) ? path.GetString() : null)
            .FirstOrDefault(File.Exists);
    }

    /// <summary>NuGet's folder of packages; only NuGet itself knows when a nuget.config moves it.</summary>
    private static async Task<string> PackagesAsync(CancellationToken cancellationToken)
    {
        if (Environment.GetEnvironmentVariable("NUGET_PACKAGES") is { Length: > 0 } configured)
        {
            return configured;
        }

        var usual = Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".nuget", "packages");
        if (Directory.Exists(Path.Combine(usual, Package)))
        {
            return usual;
        }

        var (_, output) = await RunAsync(["nuget", "locals", "global-packages", "--list", "--force-english-output"], cancellationToken);
        var colon = output.IndexOf(':', StringComparison.Ordinal);
        return colon > 0 ? output[(colon + 1)..].Trim() : usual;
    }

    private static async Task<(int ExitCode, string Output)> RunAsync(string[] arguments, CancellationToken cancellationToken)
    {
        var start = new ProcessStartInfo(DotNet.Path, arguments) { RedirectStandardOutput = true, RedirectStandardError = true };
        using var process = Process.Start(start) ?? throw new DistributedApplicationException($"{DotNet.Path} can't be started.");
        try
        {
            var texts = await Task.WhenAll(
                process.StandardOutput.ReadToEndAsync(cancellationToken), process.StandardError.ReadToEndAsync(cancellationToken));
            await process.WaitForExitAsync(cancellationToken);
            return (process.ExitCode, string.Concat(texts));
        }
        catch (OperationCanceledException)
        {
            process.Kill(entireProcessTree: true);
            throw;
        }
    }
}
