using System.Net.Http.Headers;
using System.Text.Json;

namespace Mesh.Tests.Server.Api;

/// <summary>The document that describes the HTTP API.</summary>
public sealed class OpenApiTests
{
    [Fact]
    public async Task Document_EachOperation_ListsAllItsResponses()
    {
        await using var server = await TestServer.StartAsync();

        var document = await DocumentAsync(server);

        var answers = document.GetProperty("paths").EnumerateObject().SelectMany(path => path.Value.EnumerateObject().Select(operation =>
            $"{operation.Name} {path.Name}: {string.Join(' ', operation.Value.GetProperty("responses").EnumerateObject().Select(response => response.Name).Order(StringComparer.Ordinal))}"));
        Assert.Equal(
            [
                "delete /schedules/{name}: 204 401 403 404 429 503",
                "delete /tasks/{id}: 202 204 401 403 404 409 429 503",
                "delete /tasks: 200 400 401 403 429 503",
                "get /accounts/{user}: 200 400 401 403 404 429 503",
                "get /events: 200 401 403 429 503",
                "get /schedules/{name}: 200 401 403 404 429 503",
                "get /schedules: 200 401 403 429 503",
                "get /status: 200 401 403 429 503",
                "get /tasks/{id}: 200 400 401 403 404 429 503",
                "get /tasks: 200 400 401 403 429 503",
                "post /loans/return: 202 401 403 429 503",
                "post /pause: 200 401 403 429 503",
                "post /resume: 200 401 403 429 503",
                "post /tasks/retry: 202 400 401 403 429 503",
                "post /tasks/{id}/retry: 202 401 403 404 409 429 503",
                "post /tasks: 202 400 401 403 409 413 429 503",
                "put /accounts/{user}: 200 201 400 401 403 413 429 503",
                "put /schedules/{name}: 200 201 400 401 403 413 429 503",
            ],
            answers.Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task Document_Submission_IsOneTaskOrAnArray()
    {
        await using var server = await TestServer.StartAsync();

        var document = await DocumentAsync(server);

        var body = document.GetProperty("paths").GetProperty("/tasks").GetProperty("post").GetProperty("requestBody").GetProperty("content").GetProperty("application/json");
        var forms = body.GetProperty("schema").GetProperty("oneOf").EnumerateArray().ToArray();
        const string Task = "#/components/schemas/TaskRequest";
        Assert.Equal(2, forms.Length);
        Assert.Equal(Task, forms[0].GetProperty("$ref").GetString());
        Assert.Equal(("array", Task), (forms[1].GetProperty("type").GetString(), forms[1].GetProperty("items").GetProperty("$ref").GetString()));
        Assert.Equal(JsonValueKind.Object, document.GetProperty("components").GetProperty("schemas").GetProperty("TaskRequest").ValueKind);
    }

    [Fact]
    public async Task Document_ServerWithToken_RequiresIt()
    {
        await using var open = await TestServer.StartAsync();
        await using var closed = await TestServer.StartAsync(("Mesh:Token", "s3cret"));
        closed.Http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", "s3cret");

        Assert.False((await DocumentAsync(open)).TryGetProperty("security", out _));
        var document = await DocumentAsync(closed);
        var scheme = Assert.Single(document.GetProperty("security")[0].EnumerateObject()).Name;
        Assert.Equal("bearer", document.GetProperty("components").GetProperty("securitySchemes").GetProperty(scheme).GetProperty("scheme").GetString());
        Assert.DoesNotContain("s3cret", document.ToString(), StringComparison.Ordinal);
    }

    private static Task<JsonElement> DocumentAsync(TestServer server) => server.GetJsonAsync("/openapi/v1.json");
}
