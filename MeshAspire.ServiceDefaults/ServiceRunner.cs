using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;

namespace MeshAspire.ServiceDefaults;

/// <summary>Runs a service. A fault that an operator can correct is written as one line, without a stack trace.</summary>
public static class ServiceRunner
{
    /// <summary>Builds the service, validates all options and runs it until it is stopped.</summary>
    /// <param name="configure">Called once the options are valid, before the service starts.</param>
    /// <returns>The exit code: 0 after a requested stop, 1 after a fault.</returns>
    public static async Task<int> RunAsync<THost>(Func<THost> build, Action<THost>? configure = null)
        where THost : IHost
    {
        try
        {
            using var host = build();
            host.Services.GetRequiredService<IStartupValidator>().Validate();
            configure?.Invoke(host);
            var parts = host.Services.GetServices<IHostedService>().OfType<BackgroundService>().ToList();
            await host.RunAsync();

            // The host stops normally when a background service fails.
            return parts.Exists(part => part.ExecuteTask is { IsFaulted: true }) ? 1 : Environment.ExitCode;
        }
        catch (OptionsValidationException exception)
        {
            await Console.Error.WriteLineAsync($"The configuration is not valid:\n  {string.Join("\n  ", exception.Failures)}");
            return 1;
        }
        catch (IOException exception)
        {
            // An address is in use, or a file or directory is missing. The message names it.
            await Console.Error.WriteLineAsync(exception.Message);
            return 1;
        }
    }
}
