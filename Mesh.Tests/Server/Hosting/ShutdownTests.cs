using Mesh.Server.Loop;
using Mesh.Tests.Server.Storage;
using Microsoft.Extensions.DependencyInjection;

namespace Mesh.Tests.Server.Hosting;

public sealed class ShutdownTests
{
    [Fact]
    public async Task Stop_BeforeStoreAvailable_ClosesTheInbox()
    {
        await using var server = await TestServer.StartAsync(new InMemoryMeshStore { IsUnavailable = true }, TimeProvider.System);
        var inputs = server.Services.GetRequiredService<CoreInputQueue>();

        await server.StopAsync();

        Assert.False(await inputs.PostAsync(new(LoopInputKind.Wake)));
    }
}
