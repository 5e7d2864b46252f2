using System.Net;
using System.Net.Http.Json;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using Mesh.Accounts;
using Mesh.Protocol;
using Mesh.Server.Hosting;
using Mesh.Server.Listening;
using Mesh.Server.Storage;
using Mesh.Tests.Accounts;
using Mesh.Tests.Fixtures;
using Mesh.Tests.Server.Storage;
using Mesh.Transport;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Mesh.Tests.Server;

/// <summary>A whole server on a free port, with a store in memory.</summary>
internal sealed class TestServer : IAsyncDisposable
{
    private readonly WebApplication _app;

    private TestServer(WebApplication app, InMemoryMeshStore store)
    {
        _app = app;
        Store = store;
        Address = new Uri(app.Urls.First());
        Http = NewHttp();
    }

    public InMemoryMeshStore Store { get; }

    public IServiceProvider Services => _app.Services;

    public Uri Address { get; }

    public HttpClient Http { get; private set; }

    public MeshEndpoint Endpoint => new(Address.Host, Address.Port);

    /// <summary>Starts a server, and waits until it accepts tasks.</summary>
    /// <param name="settings">Configuration such as ("Mesh:Token", "secret"). The last value of a key is used.</param>
    public static Task<TestServer> StartAsync(params (string Key, string Value)[] settings) => StartAsync(
        new InMemoryMeshStore(new ServerId(settings.FirstOrDefault(setting => setting.Key == "Mesh:ServerId").Value ?? "server-a")), TimeProvider.System, settings);

    public static async Task<TestServer> StartAsync(InMemoryMeshStore store, TimeProvider time, params (string Key, string Value)[] settings)
    {
        var builder = WebApplication.CreateBuilder(new WebApplicationOptions { EnvironmentName = "Test" });
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.Configuration.AddInMemoryCollection(new Dictionary<string, string?>
        {
            ["Mesh:ServerId"] = "server-a",
            ["ConnectionStrings:redis"] = "127.0.0.1:1",
        });
        builder.Configuration.AddInMemoryCollection(settings.GroupBy(setting => setting.Key, (key, values) => KeyValuePair.Create<string, string?>(key, values.Last().Value)));
        builder.Services.AddSingleton(time);
        builder.Services.AddSingleton<IMeshStore>(store);
        builder.Services.AddSingleton<ILedger>(new MemoryLedger());
        builder.AddServiceDefaults();
        builder.AddMeshServer();
        var app = builder.Build();
        app.MapDefaultEndpoints();
        app.UseMeshServer();
        await app.StartAsync();
        var server = new TestServer(app, store);
        if (!store.IsUnavailable)
        {
            await server.HealthyAsync();
        }

        return server;
    }

    /// <summary>Waits until GET /health succeeds.</summary>
    public async Task HealthyAsync()
    {
        await HangGuard.UntilAsync("the server to be healthy", async () => (await GetAsync("/health")).StatusCode == HttpStatusCode.OK);
    }

    public Task StopAsync() => _app.StopAsync();

    public async Task<HttpResponseMessage> PostAsync(string path, string json)
    {
        using var content = new StringContent(json, Encoding.UTF8, "application/json");
        return await Http.PostAsync(new Uri(path, UriKind.Relative), content, TestContext.Current.CancellationToken);
    }

    public async Task<HttpResponseMessage> PutAsync(string path, string json)
    {
        using var content = new StringContent(json, Encoding.UTF8, "application/json");
        return await Http.PutAsync(new Uri(path, UriKind.Relative), content, TestContext.Current.CancellationToken);
    }

    public Task<HttpResponseMessage> DeleteAsync(string path) => Http.DeleteAsync(new Uri(path, UriKind.Relative), TestContext.Current.CancellationToken);

    public Task<HttpResponseMessage> GetAsync(string path) => Http.GetAsync(new Uri(path, UriKind.Relative), TestContext.Current.CancellationToken);

    public Task<JsonElement> GetJsonAsync(string path) =>
        Http.GetFromJsonAsync<JsonElement>(new Uri(path, UriKind.Relative), TestContext.Current.CancellationToken);

    /// <summary>Submits one task and returns its id.</summary>
    public async Task<string> SubmitAsync(string json)
    {
        var answer = await PostAsync("/tasks", json);
        Assert.Equal(HttpStatusCode.Accepted, answer.StatusCode);
        var body = await answer.Content.ReadFromJsonAsync<JsonElement>(TestContext.Current.CancellationToken);
        return body.GetProperty("ids")[0].GetString()!;
    }

    public Task<MeshConnection> DialAsync(Framing framing, string? token = null) =>
        new MeshDialer(new MeshDialerOptions { Token = () => token }).DialAsync(Endpoint, framing, TestContext.Current.CancellationToken);

    /// <summary>Waits until a task is in a state.</summary>
    public async Task TaskAsync(string id, string state)
    {
        await HangGuard.UntilAsync($"task {id} to be {state}", async () => (await GetJsonAsync($"/tasks/{id}")).GetProperty("state").GetString() == state);
    }

    /// <summary>Closes the connections of <see cref="Http"/>, and waits until the server has seen it.</summary>
    public async Task DisconnectHttpAsync()
    {
        Http.Dispose();
        Http = NewHttp();
        await HangGuard.UntilAsync("the server to see the ends of the HTTP connections", () => Task.FromResult(Services.GetRequiredService<ConnectionLimiter>().OpenCount == 0));
    }

    /// <summary>Opens a TCP connection.</summary>
    public async Task<Socket> ConnectAsync()
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        await socket.ConnectAsync(IPAddress.Loopback, Address.Port, TestContext.Current.CancellationToken);
        return socket;
    }

    public async ValueTask DisposeAsync()
    {
        Http.Dispose();
        await _app.DisposeAsync();
    }

    // The peers check the certificates of tests with TLS; this client does not.
    private HttpClient NewHttp() => new(new HttpClientHandler { ServerCertificateCustomValidationCallback = HttpClientHandler.DangerousAcceptAnyServerCertificateValidator })
    {
        BaseAddress = Address,
        Timeout = HangGuard.Limit,
    };
}
