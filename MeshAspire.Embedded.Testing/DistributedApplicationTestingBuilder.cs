using Microsoft.Extensions.Hosting;

namespace Aspire.Hosting.Testing;

/// <summary>
/// Runs an AppHost in the test's own process, up to where it would build its application; what it has composed is then the test's.
/// It goes without dashboard, on free ports, with data that ends with it, and its console goes to the loggers.
/// </summary>
public static class DistributedApplicationTestingBuilder
{
    /// <typeparam name="TEntryPoint">Any type of the AppHost's assembly, such as the one that the build generates for it in <c>Projects</c>.</typeparam>
    public static Task<IDistributedApplicationTestingBuilder> CreateAsync<TEntryPoint>(CancellationToken cancellationToken = default)
        where TEntryPoint : class
        => CreateAsync<TEntryPoint>([], cancellationToken);

    /// <typeparam name="TEntryPoint">Any type of the AppHost's assembly.</typeparam>
    /// <param name="args">What the AppHost gets as its command line, such as <c>--Mesh:Redis=garnet</c>.</param>
    public static Task<IDistributedApplicationTestingBuilder> CreateAsync<TEntryPoint>(string[] args, CancellationToken cancellationToken = default)
        where TEntryPoint : class
        => CreateAsync<TEntryPoint>(args, (_, _) => { }, cancellationToken);

    /// <typeparam name="TEntryPoint">Any type of the AppHost's assembly.</typeparam>
    /// <param name="args">What the AppHost gets as its command line.</param>
    /// <param name="configureBuilder">Changes what a test's AppHost is created with.</param>
    public static async Task<IDistributedApplicationTestingBuilder> CreateAsync<TEntryPoint>(
        string[] args, Action<DistributedApplicationOptions, HostApplicationBuilderSettings> configureBuilder, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(args);
        ArgumentNullException.ThrowIfNull(configureBuilder);
        var run = new EntryPointRun(typeof(TEntryPoint).Assembly, args, configureBuilder);
        try
        {
            return new TestingBuilder(run, await run.ComposeAsync(cancellationToken));
        }
        catch
        {
            await run.DisposeAsync();
            throw;
        }
    }
}
