using System.Net;
using System.Net.Http.Headers;
using Mesh.Protocol;
using Mesh.Tests.Integration;
using Mesh.Transport;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;

namespace Mesh.Tests.Server.Access;

/// <summary>Several tokens at a time, and what each kind permits (docs/security.md, "The tokens").</summary>
public sealed class TokenRoleTests
{
    private static readonly MeshMessage Ask = new GetTask(new WorkerId("w1"));
    private static readonly MeshMessage Beat = new Heartbeat(new ServerId("server-b"));

    /// <summary>How long a worker waits for a task.</summary>
    private static readonly (string, string) SoonAnswered = ("Mesh:Tasks:HoldTime", "00:00:00.100");

    private static readonly (string, string)[] OneOfEachKind =
    [
        ("Mesh:Token", "whole"), ("Mesh:AcceptedTokens:All:0", "further"), ("Mesh:AcceptedTokens:Clients:0", "client"), ("Mesh:AcceptedTokens:Workers:0", "worker"), ("Mesh:AcceptedTokens:Peers:0", "peer"),
        ("Mesh:AcceptedTokens:Workers:1", "both"), ("Mesh:AcceptedTokens:Peers:1", "both"), SoonAnswered,
    ];

    [Theory]
    [InlineData("whole", HttpStatusCode.OK)]
    [InlineData("further", HttpStatusCode.OK)]
    [InlineData("client", HttpStatusCode.OK)]
    [InlineData("worker", HttpStatusCode.Forbidden)]
    [InlineData("peer", HttpStatusCode.Forbidden)]
    [InlineData("none of them", HttpStatusCode.Unauthorized)]
    public async Task Http_TokenOfEachRole_RequiresClientRole(string token, HttpStatusCode expected)
    {
        await using var server = await TestServer.StartAsync(OneOfEachKind);
        server.Http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", token);

        Assert.Equal(expected, (await server.GetAsync("/status")).StatusCode);
        Assert.Equal(expected == HttpStatusCode.OK ? HttpStatusCode.Accepted : expected, (await server.PostAsync("/tasks", """{"type":"QUERY","user":"maria"}""")).StatusCode);
    }

    [Theory]
    [InlineData("whole", true, true)]
    [InlineData("further", true, true)]
    [InlineData("worker", true, false)]
    [InlineData("peer", false, true)]
    [InlineData("both", true, true)]
    public async Task Messages_TokenOfEachRole_AreLimitedToItsRole(string token, bool works, bool isPeer)
    {
        await using var server = await TestServer.StartAsync(OneOfEachKind);

        Assert.Equal(works, await AnswerAsync(server, token, Ask) is NoTask);
        Assert.Equal(isPeer, await AnswerAsync(server, token, Beat) is HeartbeatResponse);
    }

    [Fact]
    public async Task Message_NotPermittedByToken_IsRejectedNamingTheRole()
    {
        await using var server = await TestServer.StartAsync(OneOfEachKind);

        Assert.Equal(new Rejection("This token does not permit the messages of a peer"), await AnswerAsync(server, "worker", Beat));
        Assert.Equal(new Rejection("This token does not permit the messages of a worker"), await AnswerAsync(server, "peer", Ask));
    }

    /// <summary>Some HTTP clients offer another protocol with each request.</summary>
    [Fact]
    public async Task Http_UpgradeOffered_RequiresClientToken()
    {
        await using var server = await TestServer.StartAsync(OneOfEachKind);
        server.Http.DefaultRequestHeaders.Connection.Add("Upgrade");
        server.Http.DefaultRequestHeaders.Upgrade.Add(new ProductHeaderValue("h2c"));

        Assert.Equal(HttpStatusCode.OK, await StatusAsync("client"));
        Assert.Equal(HttpStatusCode.Forbidden, await StatusAsync("worker"));

        async Task<HttpStatusCode> StatusAsync(string token)
        {
            server.Http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", token);
            return (await server.GetAsync("/status")).StatusCode;
        }
    }

    [Fact]
    public async Task WebSocket_WithAClientsToken_IsRefused()
    {
        await using var server = await TestServer.StartAsync(OneOfEachKind);

        var refused = await Assert.ThrowsAsync<MeshDialException>(() => server.DialAsync(Framing.WebSocket, "client"));

        Assert.Equal(MeshDialFailure.Refused, refused.Failure);
    }

    [Fact]
    public async Task Token_ReplacedWhileTheServerRuns_IsAcceptedAndTheOldOneEnds()
    {
        await using var server = await TestServer.StartAsync(("Mesh:Token", "whole"), ("Mesh:AcceptedTokens:Workers:0", "old"), SoonAnswered);
        await using var old = await server.DialAsync(Framing.WebSocket, "old");
        var polling = WorksAsync(old, "w1");
        Change(server, ("Mesh:AcceptedTokens:Workers:1", "new"));
        await using var young = await server.DialAsync(Framing.WebSocket, "new");
        await Task.WhenAll(polling, WorksAsync(young, "w2"));

        var (end, stillPolling) = (old.ReceiveAsync(TestContext.Current.CancellationToken).AsTask(), WorksAsync(young, "w2"));
        Change(server, ("Mesh:AcceptedTokens:Workers:0", "new"));
        Assert.Equal(ReceiveResultKind.End, (await end).Kind);
        await stillPolling;
        await Assert.ThrowsAsync<MeshDialException>(() => server.DialAsync(Framing.WebSocket, "old"));

        static async Task WorksAsync(MeshConnection connection, string worker)
        {
            connection.TrySend(new GetTask(new WorkerId(worker)));
            var received = await connection.ReceiveAsync(TestContext.Current.CancellationToken);
            Assert.True(received.Message is NoTask, $"{received.Kind} {received.Message}");
        }
    }

    [Theory]
    [InlineData("Mesh:AcceptedTokens:All:0", "with space")]
    [InlineData("Mesh:Token", null)]
    public async Task Tokens_InvalidWhileRunning_KeepThePreviousOnes(string key, string? value)
    {
        await using var server = await TestServer.StartAsync(("Mesh:Token", "whole"));
        server.Http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", "whole");

        Change(server, (key, value));

        Assert.Equal(HttpStatusCode.OK, (await server.GetAsync("/status")).StatusCode);
        server.Http.DefaultRequestHeaders.Authorization = null;
        Assert.Equal(HttpStatusCode.Unauthorized, (await server.GetAsync("/status")).StatusCode);
    }

    [Fact]
    [Trait("Speed", "Slow")]
    public async Task SecretsDirectory_FileReplaced_IsReadAgainWithoutARestart()
    {
        var directory = Directory.CreateTempSubdirectory("mesh-secrets");
        try
        {
            var file = Path.Combine(directory.FullName, "Mesh__Token");
            await File.WriteAllTextAsync(file, "first\n", TestContext.Current.CancellationToken);
            await using var server = MeshProcess.StartServer(
                "127.0.0.1:1", "server-a", Fixtures.RedisProcess.FreePort(), settings: new() { ["SecretsDirectory"] = directory.FullName });
            await StatusAsync(server, "first", HttpStatusCode.ServiceUnavailable);

            await File.WriteAllTextAsync(file, "second\n", TestContext.Current.CancellationToken);

            await StatusAsync(server, "second", HttpStatusCode.ServiceUnavailable);
            await StatusAsync(server, "first", HttpStatusCode.Unauthorized);
        }
        finally
        {
            directory.Delete(recursive: true);
        }
    }

    [Fact]
    [Trait("Speed", "Slow")]
    public async Task SecretsDirectory_Missing_IsNamedAtStart()
    {
        await using var server = MeshProcess.StartServer("127.0.0.1:1", "server-a", port: 0, settings: new() { ["SecretsDirectory"] = "/nowhere" });

        Assert.Equal(1, await server.ExitAsync());
        Assert.Contains("Mesh__SecretsDirectory: the directory /nowhere does not exist.", server.Everything, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", server.Everything, StringComparison.Ordinal);
    }

    private static async Task<MeshMessage?> AnswerAsync(TestServer server, string token, MeshMessage message)
    {
        await using var connection = await server.DialAsync(Framing.WebSocket, token);
        connection.TrySend(message);
        return (await connection.ReceiveAsync(TestContext.Current.CancellationToken)).Message;
    }

    private static void Change(TestServer server, (string Key, string? Value) setting)
    {
        var configuration = (IConfigurationRoot)server.Services.GetRequiredService<IConfiguration>();
        configuration[setting.Key] = setting.Value;
        configuration.Reload();
    }

    private static Task<HttpStatusCode?> StatusAsync(MeshProcess server, string token, HttpStatusCode expected) => Eventually.GetAsync<HttpStatusCode?>(
        $"{expected} for the token \"{token}\"",
        async () =>
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, new Uri($"http://127.0.0.1:{server.Port}/status"));
            request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", token);
            try
            {
                using var http = new HttpClient();
                using var answer = await http.SendAsync(request, TestContext.Current.CancellationToken);
                return answer.StatusCode;
            }
            catch (HttpRequestException)
            {
                return null;
            }
        },
        seen => seen == expected,
        details: () => server.Output);
}
