namespace Aspire.Hosting.Testing;

/// <summary>What an AppHost has composed, for a test to change before it is built. Disposing of it ends the application too.</summary>
public interface IDistributedApplicationTestingBuilder : IDistributedApplicationBuilder, IAsyncDisposable, IDisposable
{
    Task<DistributedApplication> BuildAsync(CancellationToken cancellationToken = default);
}
