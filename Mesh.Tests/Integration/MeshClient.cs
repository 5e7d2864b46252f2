using System.Net.Http.Json;
using System.Text.Json.Nodes;

namespace Mesh.Tests.Integration;

/// <summary>A client of a server's HTTP API.</summary>
internal class MeshClient(string id, HttpClient http)
{
    public string Id => id;

    public HttpClient Http => http;

    /// <summary>The last lines of the server's output, for the message of a failed test.</summary>
    public virtual string Output => "";

    public async Task<JsonNode> GetAsync(string path)
    {
        using var response = await Http.GetAsync(new Uri(path, UriKind.Relative));
        Assert.True(response.IsSuccessStatusCode, $"{path}: {response.StatusCode} {await response.Content.ReadAsStringAsync()}\n{Output}");
        return (await response.Content.ReadFromJsonAsync<JsonNode>())!;
    }

    public Task<JsonNode> StatusAsync() => GetAsync("/status");

    public Task<HttpResponseMessage> PostAsync(params object[] tasks) => Http.PostAsJsonAsync(new Uri("/tasks", UriKind.Relative), tasks);

    public async Task<string[]> SubmitAsync(params object[] tasks)
    {
        using var response = await PostAsync(tasks);
        Assert.True(response.IsSuccessStatusCode, await response.Content.ReadAsStringAsync());
        var answer = await response.Content.ReadFromJsonAsync<JsonNode>();
        return [.. answer!["ids"]!.AsArray().Select(id => (string)id!)];
    }

    public async Task SetBalanceAsync(string user, decimal balance)
    {
        using var response = await Http.PutAsJsonAsync(new Uri($"/accounts/{user}", UriKind.Relative), new { balance });
        response.EnsureSuccessStatusCode();
    }

    public async Task<decimal> BalanceAsync(string user) => (decimal)(await GetAsync($"/accounts/{user}"))["balance"]!;

    /// <summary>Waits for a status that satisfies a condition. The server may be restarting meanwhile.</summary>
    public async Task<JsonNode> StatusAsync(string awaited, Func<JsonNode, bool> satisfies, params MeshClient[] others) => (await Eventually.GetAsync(
        $"{Id}: {awaited}",
        async () =>
        {
            try
            {
                return await StatusAsync();
            }
            catch (HttpRequestException fault) when (fault.StatusCode is null)
            {
                return null;
            }
        },
        status => status is not null && satisfies(status),
        details: () => string.Join('\n', others.Append(this).Select(client => client.Output).Distinct())))!;
}
