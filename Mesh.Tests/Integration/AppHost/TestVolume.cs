using System.ComponentModel;
using System.Diagnostics;

namespace Mesh.Tests.Integration.AppHost;

/// <summary>The volume of a test's Redis, separate from the one of a user's runs.</summary>
internal sealed class TestVolume
{
    public string Name { get; } = $"mesh-test-{Guid.NewGuid():N}";

    /// <summary>Removes the volume of the container runtime, which is kept when the container is removed, or Garnet's files below the AppHost.</summary>
    public async Task RemoveAsync(string appHostDirectory)
    {
        var files = Path.Combine(appHostDirectory, "obj", "garnet", Name);
        if (Directory.Exists(files))
        {
            Directory.Delete(files, recursive: true);
        }

        foreach (var runtime in new[] { "docker", "podman" })
        {
            try
            {
                var start = new ProcessStartInfo(runtime, ["volume", "rm", "--force", Name]) { RedirectStandardOutput = true, RedirectStandardError = true };
                using var process = Process.Start(start)!;
                await Task.WhenAll(process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync(), process.WaitForExitAsync());
            }
            catch (Win32Exception)
            {
                // Not on this machine.
            }
        }
    }
}
