using System.Net;
using System.Text.Json;
using MeshAspire.Client;
using static Mesh.Tests.Client.ScriptedServers;

namespace Mesh.Tests.Client;

/// <summary>How many tasks are submitted, and what the exception says when that ends in the middle.</summary>
public sealed class SubmitManyTests
{
    private static readonly MeshTaskRequest Query = MeshTaskRequest.Query("maria");

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task SubmitMany_MoreThanARequestMayHave_SendsSeveralAndKeepsTheOrder()
    {
        using var servers = new ScriptedServers().On("server-a", Accept());

        var ids = await servers.Client(settings => settings.MaxTasksPerRequest = 2).SubmitManyAsync(Enumerable.Repeat(Query, 5), Stop);

        Assert.Equal([2, 2, 1], servers.Received.Select(request => request.Ids.Length));
        Assert.Equal(ids, servers.Received.SelectMany(request => request.Ids));
        Assert.Equal(5, ids.Distinct().Count());
    }

    [Fact]
    public async Task SubmitMany_LargePayloads_KeepsBelowTheServersLimit()
    {
        using var servers = new ScriptedServers().On("server-a", Accept());
        var large = MeshTaskRequest.Create("RESIZE", new string('x', 60_000));

        await servers.Client().SubmitManyAsync(Enumerable.Repeat(large, 150), Stop);

        Assert.All(servers.Received, request => Assert.InRange(request.Body.Length, 1, 4 * 1024 * 1024));
        Assert.Equal(3, servers.Received.Count);
    }

    [Fact]
    public async Task SubmitMany_None_SendsNothing()
    {
        using var servers = new ScriptedServers().On("server-a", Accept());

        Assert.Empty(await servers.Client().SubmitManyAsync([], Stop));

        Assert.Empty(servers.Log);
    }

    [Fact]
    public async Task SubmitMany_MoreThanTheCapacity_SendsSmallerRequests()
    {
        using var servers = new ScriptedServers();
        servers.On("server-a", async (request, cancellationToken) =>
        {
            var count = JsonDocument.Parse(await request.Content!.ReadAsStringAsync(cancellationToken)).RootElement.GetArrayLength();
            return await (count > 2 ? Problem(HttpStatusCode.RequestEntityTooLarge, """{"detail":"body must not contain more tasks.","field":"body"}""") : Accept())(request, cancellationToken);
        });

        await servers.Client().SubmitManyAsync(Enumerable.Repeat(Query, 5), Stop);

        Assert.Equal([5, 3, 2, 2, 1], servers.Received.Select(request => request.Ids.Length));
    }

    [Fact]
    public async Task SubmitMany_FieldOfALaterRequestNotValid_NamesItsIndexInTheList()
    {
        using var servers = new ScriptedServers().On("server-a", Accept(), Problem(HttpStatusCode.BadRequest, """{"detail":"[1].user is missing.","field":"[1].user"}"""));
        MeshTaskRequest[] tasks = [.. Enumerable.Repeat(Query, 5)];

        var error = await Assert.ThrowsAsync<PartialSubmissionException>(() => servers.Client(settings => settings.MaxTasksPerRequest = 2).SubmitManyAsync(tasks, Stop));

        Assert.Equal("[3].user", Assert.IsType<TaskRejectedException>(error.InnerException).Field);
        Assert.Equal(servers.Received[0].Ids, error.Accepted);
        Assert.Empty(error.Unknown);
        Assert.Equal(3, error.NotAccepted.Count);
    }

    [Fact]
    public async Task SubmitMany_UnknownInTheMiddle_ListsAllThreeOutcomes()
    {
        using var servers = new ScriptedServers().On("server-a", Accept(), Lost());

        var error = await Assert.ThrowsAsync<PartialSubmissionException>(
            () => servers.Client(settings => settings.MaxTasksPerRequest = 2).SubmitManyAsync(Enumerable.Repeat(Query, 5), Stop));

        Assert.IsType<TaskOutcomeUnknownException>(error.InnerException);
        Assert.Equal(servers.Received[0].Ids, error.Accepted);
        Assert.Equal(servers.Received[1].Ids, error.Unknown.Select(task => task.Options.Id!));
        Assert.All(error.Unknown, task => Assert.Equal(A, task.Options.Server));
        Assert.Single(error.NotAccepted);
        Assert.StartsWith("Of 5 tasks 2 are accepted, 1 are not accepted, and of 2 it is unknown. ", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task SubmitMany_FirstRequestRefused_ThrowsTheCause()
    {
        using var servers = new ScriptedServers().On("server-a", Full());

        await Assert.ThrowsAsync<QueueFullException>(() => servers.Client(settings => settings.MaxTasksPerRequest = 2).SubmitManyAsync(Enumerable.Repeat(Query, 5), Stop));
    }

    [Fact]
    public async Task SubmitMany_AllUnknown_ThrowsTheCause()
    {
        using var servers = new ScriptedServers().On("server-a", Lost());

        var error = await Assert.ThrowsAsync<TaskOutcomeUnknownException>(() => servers.Client().SubmitManyAsync(Enumerable.Repeat(Query, 5), Stop));

        Assert.Equal(5, error.Ids.Count);
    }

    [Fact]
    public async Task SubmitMany_SomeWithCallersIds_SendsThoseToThePrimaryOnly()
    {
        using var servers = new ScriptedServers().On("server-a", Full(), Full(), Accept(), Full()).On("server-b", Accept());
        var own = Query with { Options = new() { Id = "order/1" } };

        await servers.Client().SubmitManyAsync([Query, own, own with { Options = new() { Id = "order/2" } }, Query], Stop);

        Assert.Equal(
            ["server-a 1", "server-b 1", "server-a 2", "server-a 2", "server-a 1", "server-b 1"], servers.Received.Select(request => $"{request.Server} {request.Ids.Length}"));
    }
}
