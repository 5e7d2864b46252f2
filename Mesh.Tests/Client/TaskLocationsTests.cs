using MeshAspire.Client.Http;
using static Mesh.Tests.Client.ScriptedServers;

namespace Mesh.Tests.Client;

public sealed class TaskLocationsTests
{
    [Fact]
    public void Remember_BeyondTheCapacity_ForgetsTheOldest()
    {
        var locations = new TaskLocations(capacity: 2);

        locations.Remember("1", A);
        locations.Remember("2", A);
        locations.Remember("2", B);
        locations.Remember("3", A);

        Assert.Equal([null, B, A], new[] { "1", "2", "3" }.Select(locations.Find));
    }
}
