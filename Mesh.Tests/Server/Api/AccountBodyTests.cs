using System.Net;
using System.Net.Http.Json;
using System.Text.Json;

namespace Mesh.Tests.Server.Api;

/// <summary>docs/security.md, "Limits": the body of an account has 4 KiB at most.</summary>
public sealed class AccountBodyTests
{
    [Theory]
    [InlineData(4096, HttpStatusCode.Created)]
    [InlineData(4097, HttpStatusCode.RequestEntityTooLarge)]
    public async Task Put_BodyLength_IsAcceptedUpToTheLimit(int bytes, HttpStatusCode status)
    {
        await using var server = await TestServer.StartAsync();

        using var answer = await server.PutAsync("/accounts/maria", """{"balance":1}""".PadRight(bytes));

        Assert.Equal(status, answer.StatusCode);
        if (status == HttpStatusCode.RequestEntityTooLarge)
        {
            var problem = await answer.Content.ReadFromJsonAsync<JsonElement>(TestContext.Current.CancellationToken);
            Assert.Equal("body", problem.GetProperty("field").GetString());
            Assert.Contains("4096 bytes", problem.GetProperty("detail").GetString(), StringComparison.Ordinal);
        }
    }
}
