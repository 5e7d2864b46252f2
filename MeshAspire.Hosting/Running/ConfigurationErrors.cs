using Aspire.Hosting;

namespace MeshAspire.Hosting.Running;

internal static class ConfigurationErrors
{
    private const int ExitCode = 1;

    /// <summary>Ends the AppHost with one line on standard error, instead of a stack trace, when its configuration is invalid.</summary>
    public static void ExitWithMessage() => AppDomain.CurrentDomain.UnhandledException += (_, unhandled) =>
    {
        if (unhandled.ExceptionObject is DistributedApplicationException fault)
        {
            Console.Error.WriteLine(fault.Message);
            Environment.Exit(ExitCode);
        }
    };
}
