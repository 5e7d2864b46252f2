namespace Aspire.Hosting;

/// <summary>
/// What keeps an AppHost from being composed leaves its entry point, which catches nothing, as it need not on Aspire. A fault that is the user's to
/// mend is told in one line, with exit code 1, as <see cref="DistributedApplication.RunAsync"/> does; any other is a bug, and ends as the runtime ends it.
/// </summary>
internal static class CompositionFault
{
    private static int _watched;

    public static void Watch()
    {
        if (Interlocked.Exchange(ref _watched, 1) == 0)
        {
            AppDomain.CurrentDomain.UnhandledException += Tell;
        }
    }

    private static void Tell(object sender, UnhandledExceptionEventArgs unhandled)
    {
        if (unhandled.ExceptionObject is DistributedApplicationException fault)
        {
            Console.Error.WriteLine(fault.Message);
            Environment.Exit(1);
        }
    }
}
