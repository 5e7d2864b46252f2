using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;

namespace Mesh.Configuration;

/// <summary>Runs a service; what an operator can put right is told in a line, not in a stack trace.</summary>
public static class ServiceRunner
{
    /// <summary>Builds the service, validates all options, and runs it until it is asked to stop.</summary>
    /// <param name="configure">What is left to do once the options are known to be valid.</param>
    /// <returns>The exit code: 0 after a stop that was asked for, 1 after a fault.</returns>
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

            // The host stops when one of them fails, and calls that a stop like any other.
            return parts.Exists(part => part.ExecuteTask is { IsFaulted: true }) ? 1 : Environment.ExitCode;
        }
        catch (OptionsValidationException exception)
        {
            await Console.Error.WriteLineAsync($"The configuration is not valid:\n  {string.Join("\n  ", exception.Failures)}");
            return 1;
        }
        catch (IOException exception)
        {
            // An address that cannot be listened on, a file or directory that is not there: the message names it.
            await Console.Error.WriteLineAsync(exception.Message);
            return 1;
        }
    }
}
