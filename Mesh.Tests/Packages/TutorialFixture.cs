namespace Mesh.Tests.Packages;

/// <summary>The solution of the tutorial and its run, for all tests of the packages. Each is made at its first use.</summary>
public sealed class TutorialFixture : IAsyncLifetime
{
    private readonly Lazy<Task<TutorialSolution>> _solution = new(TutorialSolution.BuildAsync);
    private readonly Lazy<Task<TutorialRun>> _run;

    public TutorialFixture() => _run = new(async () => await TutorialRun.StartAsync(await _solution.Value));

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public async ValueTask DisposeAsync()
    {
        try
        {
            if (Made(_run) is { } run)
            {
                await using (run)
                {
                    await run.StopAsync();
                }
            }
        }
        finally
        {
            Made(_solution)?.Dispose();
        }
    }

    internal Task<TutorialSolution> SolutionAsync() => _solution.Value;

    internal Task<TutorialRun> RunAsync()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Finds the processes in /proc.");
        return _run.Value;
    }

    /// <summary>Returns null for what was not needed or has failed. A failure has been reported by each test that needed it.</summary>
    private static T? Made<T>(Lazy<Task<T>> lazy)
        where T : class => lazy is { IsValueCreated: true, Value: { IsCompletedSuccessfully: true } made } ? made.Result : null;
}

[CollectionDefinition(Name)]
public sealed class PackageTests : ICollectionFixture<TutorialFixture>, ICollectionFixture<Browser.BrowserFixture>
{
    public const string Name = "Packages";
}
