using Mesh.Server.Hosting;
using Mesh.Tests.Storage;
using Microsoft.Extensions.DependencyInjection;

namespace Mesh.Tests.Server;

public sealed class StopTests
{
    [Fact]
    public async Task Stop_BeforeTheStoreIsThere_ClosesTheInbox()
    {
        await using var server = await ServerUnderTest.StartAsync(new InMemoryMeshStore { IsAway = true }, TimeProvider.System);
        var inbox = server.Services.GetRequiredService<MeshInbox>();

        await server.StopAsync();

        Assert.False(await inbox.PostAsync(new(LoopInput.Wake)));
    }
}
