using System.Net;
using System.Text.Json;
using Mesh.Server.Api;
using Mesh.Server.Core.Tasks;
using Mesh.Server.Loop;
using Mesh.Tests.Server.Storage;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.Extensions.DependencyInjection;

namespace Mesh.Tests.Server.Api;

/// <summary>Problems that say that nothing was accepted (docs/protocol.md, "Tasks over HTTP"). A client then may use another server.</summary>
public sealed class NothingAcceptedTests
{
    private const string Task = """{"type":"QUERY","user":"maria"}""";

    [Fact]
    public void Problems_ByOutcome_SayThatNothingWasAcceptedWhereThatIsCertain()
    {
        SubmitOutcome[] certain = [SubmitOutcome.Full, SubmitOutcome.StoreUnavailable, SubmitOutcome.StoreNotDurable, SubmitOutcome.Stopping, SubmitOutcome.Paused];

        Assert.All(certain, outcome => Assert.Equal(false, AcceptedOf(Problems.Of(outcome, Context()))));
        Assert.Null(AcceptedOf(Problems.Of(SubmitOutcome.Unknown, Context())));
    }

    [Fact]
    public void Partial_SomeAreChanged_DoesNotSayThatNothingWas()
    {
        Assert.Null(AcceptedOf(Problems.Partial(SubmitOutcome.Full, 1, Context())));
        Assert.Equal(false, AcceptedOf(Problems.Partial(SubmitOutcome.Full, 0, Context())));
    }

    [Fact]
    public async Task Submit_Starting_SaysThatNothingIsAccepted()
    {
        await using var server = await TestServer.StartAsync(new InMemoryMeshStore { IsUnavailable = true }, TimeProvider.System);

        await AssertNothingAcceptedAsync(server, HttpStatusCode.ServiceUnavailable);
    }

    [Fact]
    public async Task Submit_Paused_SaysThatNothingIsAccepted()
    {
        await using var server = await TestServer.StartAsync();
        await server.PostAsync("/pause", "");

        await AssertNothingAcceptedAsync(server, HttpStatusCode.ServiceUnavailable);
    }

    [Fact]
    public async Task Submit_Full_SaysThatNothingIsAccepted()
    {
        await using var server = await TestServer.StartAsync(("Mesh:Tasks:Capacity", "1"));
        await server.SubmitAsync(Task);

        await AssertNothingAcceptedAsync(server, HttpStatusCode.TooManyRequests);
    }

    [Fact]
    public async Task Submit_WriteWithUnknownOutcome_DoesNotSayIt()
    {
        var store = new InMemoryMeshStore();
        await using var server = await TestServer.StartAsync(store, TimeProvider.System);
        store.HoldsNext = true;

        var answer = await server.PostAsync("/tasks", Task);

        var problem = JsonDocument.Parse(await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken)).RootElement;
        Assert.Equal(HttpStatusCode.ServiceUnavailable, answer.StatusCode);
        Assert.Contains("It is unknown whether the tasks are stored.", problem.GetProperty("detail").GetString(), StringComparison.Ordinal);
        Assert.False(problem.TryGetProperty("accepted", out _));
    }

    private static async Task AssertNothingAcceptedAsync(TestServer server, HttpStatusCode status)
    {
        var answer = await server.PostAsync("/tasks", Task);

        var problem = JsonDocument.Parse(await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken)).RootElement;
        Assert.Equal(status, answer.StatusCode);
        Assert.Equal(JsonValueKind.False, problem.GetProperty("accepted").ValueKind);
        Assert.NotNull(answer.Headers.RetryAfter);
    }

    private static object? AcceptedOf(IResult result) => Assert.IsType<ProblemHttpResult>(result).ProblemDetails.Extensions.TryGetValue("accepted", out var accepted) ? accepted : null;

    private static DefaultHttpContext Context() => new() { RequestServices = new ServiceCollection().AddSingleton<ServerReadiness>().BuildServiceProvider() };
}
