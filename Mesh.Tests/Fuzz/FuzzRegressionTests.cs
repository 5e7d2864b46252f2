using System.Net;
using System.Text.Json;
using Mesh.Tests.Server;

namespace Mesh.Tests.Fuzz;

/// <summary>Inputs that the fuzzer found.</summary>
public sealed class FuzzRegressionTests
{
    [Theory]
    [InlineData("""{"bal\udc00ance":1}""")]
    [InlineData("""{"balance":1}{""")]
    public async Task Account_BodyWithABadName_IsRefused(string body)
    {
        await using var server = await TestServer.StartAsync();

        var answer = await server.PutAsync("/accounts/maria", body);

        Assert.Equal(HttpStatusCode.BadRequest, answer.StatusCode);
        using var problem = JsonDocument.Parse(await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
        Assert.Equal("body", problem.RootElement.GetProperty("field").GetString());
    }
}
