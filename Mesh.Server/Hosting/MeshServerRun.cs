using Microsoft.Extensions.Options;

namespace Mesh.Server.Hosting;

/// <summary>Runs the server; what an operator can put right is told in a line, not in a stack trace.</summary>
internal static class MeshServerRun
{
    /// <returns>The exit code: 0 after a stop that was asked for.</returns>
    public static async Task<int> RunServerAsync(this WebApplicationBuilder builder, Action<WebApplication> configure)
    {
        try
        {
            await using var app = builder.Build();
            app.Services.GetRequiredService<IStartupValidator>().Validate();
            configure(app);
            await app.RunAsync();
            return Environment.ExitCode;
        }
        catch (OptionsValidationException exception)
        {
            await Console.Error.WriteLineAsync($"The configuration is not valid:\n  {string.Join("\n  ", exception.Failures)}");
            return 1;
        }
        catch (IOException exception)
        {
            // An address that cannot be listened on: the web server names it.
            await Console.Error.WriteLineAsync(exception.Message);
            return 1;
        }
    }
}
