namespace MeshAspire.Client.Http;

/// <summary>Provides the addresses of the servers: the primary one first, then the fallbacks.</summary>
internal interface IServerAddresses
{
    ValueTask<IReadOnlyList<Uri>> GetAsync(CancellationToken cancellationToken);
}

/// <summary>Addresses that do not change.</summary>
internal sealed class FixedAddresses(IReadOnlyList<Uri> addresses) : IServerAddresses
{
    public ValueTask<IReadOnlyList<Uri>> GetAsync(CancellationToken cancellationToken) => new(addresses);
}
