using Aspire.Hosting;
using Aspire.Hosting.ApplicationModel;
using Mesh.Tests.Publishing;

namespace Mesh.Tests.Hosting;

/// <summary>What <c>MeshAspire.Hosting</c> adds to the model of an AppHost. Nothing is started.</summary>
public sealed class MeshHostingTests
{
    private readonly IDistributedApplicationBuilder _builder = CreateBuilder("--operation", "publish");

    [Fact]
    public async Task Servers_ThatArePeers_AreConfiguredWithEachOther()
    {
        var (token, redis) = (_builder.AddMeshToken(), _builder.AddMeshRedis("store"));
        var (a, b, c) = (AddServer("a", redis, token), AddServer("b", redis, token), AddServer("c", redis, token));

        Assert.Same(a, a.WithPeer(b));
        a.WithPeer(c);

        Assert.Equal(["b", "c"], await PeersAsync(a));
        Assert.Equal(["a"], await PeersAsync(b));
        Assert.Equal(["a"], await PeersAsync(c));
        // A server looks for its Redis under this name, whatever the resource is called.
        Assert.Contains("ConnectionStrings__redis", (await VariablesAsync(a)).Keys);
    }

    [Fact]
    public void Peers_NoServerOrTheSameOrTwice_AreRefused()
    {
        var (token, redis) = (_builder.AddMeshToken(), _builder.AddMeshRedis("redis"));
        var (a, b) = (AddServer("a", redis, token), AddServer("b", redis, token));
        var other = _builder.AddProject("other", BuildOutput.Source("Mesh.Worker/Mesh.Worker.csproj"), launchProfileName: null);

        Assert.Throws<ArgumentException>("peer", () => a.WithPeer(a));
        Assert.Throws<ArgumentException>("peer", () => a.WithPeer(other));
        Assert.Throws<ArgumentException>("server", () => other.WithPeer(a));
        b.WithPeer(a);
        Assert.Throws<ArgumentException>("peer", () => a.WithPeer(b));
    }

    [Fact]
    public async Task Workers_OfAServer_GetItsAddressAndToken()
    {
        var (token, redis) = (_builder.AddMeshToken(), _builder.AddMeshRedis("redis"));
        var home = AddServer("home", redis, token);

        var plain = _builder.AddMeshWorkers<WorkerProject>("plain", home);
        var withRedis = _builder.AddMeshWorkers<WorkerProject>("with-redis", home, replicas: 3, redis);

        var variables = await VariablesAsync(plain);
        Assert.Equal("home", variables["Mesh__HomeServer__Id"]);
        Assert.Same(token.Resource, variables["Mesh__Token"]);
        Assert.DoesNotContain("ConnectionStrings__redis", variables.Keys);
        Assert.Contains("ConnectionStrings__redis", (await VariablesAsync(withRedis)).Keys);
        Assert.Equal((1, 3), (plain.Resource.GetReplicaCount(), withRedis.Resource.GetReplicaCount()));
        Assert.Contains(plain.Resource.Annotations.OfType<WaitAnnotation>(), wait => wait.Resource == home.Resource);
    }

    [Fact]
    public void Workers_BadArguments_AreRefused()
    {
        var home = AddServer("home", _builder.AddMeshRedis("redis"), _builder.AddMeshToken());
        var other = _builder.AddProject("other", BuildOutput.Source("Mesh.Worker/Mesh.Worker.csproj"), launchProfileName: null);

        Assert.Throws<ArgumentException>("homeServer", () => _builder.AddMeshWorkers<WorkerProject>("workers", other));
        Assert.Throws<ArgumentOutOfRangeException>("replicas", () => _builder.AddMeshWorkers<WorkerProject>("workers", home, replicas: 0));
    }

    [Fact]
    public async Task Client_OfAServer_GetsItsAddressAndToken()
    {
        var token = _builder.AddMeshToken();
        var server = AddServer("server-a", _builder.AddMeshRedis("redis"), token);
        var other = _builder.AddProject("other", BuildOutput.Source("Mesh.Worker/Mesh.Worker.csproj"), launchProfileName: null);

        var variables = await VariablesAsync(other.WithMeshClient(server));

        Assert.Contains("services__server-a__http__0", variables.Keys);
        Assert.Same(token.Resource, variables["Mesh__Client__Token"]);
        Assert.Contains(other.Resource.Annotations.OfType<WaitAnnotation>(), wait => wait.Resource == server.Resource);
        Assert.Throws<ArgumentException>("server", () => server.WithMeshClient(other));
    }

    [Fact]
    public void Program_OfAProjectThatTheAppHostDoesNotReference_IsReportedByName()
    {
        var project = CreateBuilder().AddProject("other", BuildOutput.Source("Mesh.Bench/Mesh.Bench.csproj"), launchProfileName: null);
        var fault = Assert.Throws<DistributedApplicationException>(() => project.WithBuiltProgram());
        Assert.Contains("Mesh.Bench.csproj", fault.Message, StringComparison.Ordinal);
    }

    private static IDistributedApplicationBuilder CreateBuilder(params string[] arguments) => DistributedApplication.CreateBuilder(new DistributedApplicationOptions
    {
        Args = ["--Mesh:Redis=external", .. arguments],
        AssemblyName = typeof(Projects.MeshAspire_AppHost).Assembly.GetName().Name,
        DisableDashboard = true,
    });

    private IResourceBuilder<ProjectResource> AddServer(string name, IResourceBuilder<IResourceWithConnectionString> redis, IResourceBuilder<ParameterResource> token) =>
        _builder.AddMeshServer<ServerProject>(name, redis, token);

    private async Task<string[]> PeersAsync(IResourceBuilder<ProjectResource> server)
    {
        var variables = await VariablesAsync(server);
        return [.. Enumerable.Range(0, variables.Keys.Count(key => key.StartsWith("Mesh__Peers__", StringComparison.Ordinal)) / 2).Select(index =>
        {
            Assert.Contains($"Mesh__Peers__{index}__Endpoint", variables.Keys);
            return (string)variables[$"Mesh__Peers__{index}__Id"];
        })];
    }

    /// <summary>The environment variables before their values are resolved.</summary>
    private async Task<Dictionary<string, object>> VariablesAsync(IResourceBuilder<ProjectResource> project)
    {
        var context = new EnvironmentCallbackContext(_builder.ExecutionContext, project.Resource, cancellationToken: TestContext.Current.CancellationToken);
        var own = project.Resource.Annotations.OfType<EnvironmentCallbackAnnotation>();
        foreach (var annotation in own)
        {
            await annotation.Callback(context);
        }

        return context.EnvironmentVariables;
    }

    private sealed class ServerProject : IProjectMetadata
    {
        public string ProjectPath => Path.GetFullPath(BuildOutput.Source("Mesh.Server/Mesh.Server.csproj"));
    }

    private sealed class WorkerProject : IProjectMetadata
    {
        public string ProjectPath => Path.GetFullPath(BuildOutput.Source("Mesh.Worker/Mesh.Worker.csproj"));
    }
}
