using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Aspire.Hosting.ApplicationModel;

namespace MeshAspire.Hosting.Commands;

/// <summary>A client of one server's HTTP API, for the commands of the dashboard (docs/operations.md).</summary>
internal sealed class ServerApi(HttpClient http) : IDisposable
{
    public static async Task<ServerApi> ConnectAsync(EndpointReference endpoint, ParameterResource token, CancellationToken cancellationToken)
    {
        var http = new HttpClient { BaseAddress = new Uri(endpoint.Url), Timeout = TimeSpan.FromSeconds(30) };
        http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", await token.GetValueAsync(cancellationToken));
        return new ServerApi(http);
    }

    public Task<JsonNode> GetAsync(string path, CancellationToken cancellationToken) => SendAsync(HttpMethod.Get, path, null, cancellationToken);

    /// <exception cref="ServerRefusedException">The server answered with an error.</exception>
    public Task<JsonNode> PostAsync(string path, object? body, CancellationToken cancellationToken) => SendAsync(HttpMethod.Post, path, body, cancellationToken);

    public void Dispose() => http.Dispose();

    private async Task<JsonNode> SendAsync(HttpMethod method, string path, object? body, CancellationToken cancellationToken)
    {
        using var request = new HttpRequestMessage(method, new Uri(path, UriKind.Relative)) { Content = body is null ? null : JsonContent.Create(body) };
        using var response = await http.SendAsync(request, cancellationToken);
        var answer = await JsonNode.ParseAsync(await response.Content.ReadAsStreamAsync(cancellationToken), cancellationToken: cancellationToken) ?? new JsonObject();
        return response.IsSuccessStatusCode ? answer : throw new ServerRefusedException($"{(int)response.StatusCode}: {(string?)answer["detail"] ?? (string?)answer["title"]}");
    }
}

internal sealed class ServerRefusedException(string message) : Exception(message);
