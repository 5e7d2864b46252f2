using System.Net;
using MeshAspire.Client;
using static Mesh.Tests.Client.ScriptedServers;

namespace Mesh.Tests.Client;

/// <summary>Where a submission goes, and how often, by the answers of the servers.</summary>
public sealed class SubmitTests
{
    private const string PostA = "server-a POST /tasks";
    private const string PostB = "server-b POST /tasks";

    private static readonly MeshTaskRequest Task1 = new("RESIZE");

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Submit_WithoutId_SendsAVersion7IdAndReturnsIt()
    {
        using var servers = new ScriptedServers().On("server-a", Accept());

        var id = await servers.Client().SubmitAsync(Task1, Stop);

        Assert.Equal([id], servers.Received[0].Ids);
        Assert.Equal(7, Guid.ParseExact(id, "n").Version);
    }

    [Fact]
    public async Task Submit_ConnectionLost_RepeatsTheIdAtTheSameServer()
    {
        using var servers = new ScriptedServers().On("server-a", Lost(), Lost(), Accept()).On("server-b", Accept());

        var id = await servers.Client().SubmitAsync(Task1, Stop);

        Assert.Equal([PostA, PostA, PostA], servers.Log);
        Assert.All(servers.Received, request => Assert.Equal([id], request.Ids));
    }

    [Fact]
    public async Task Submit_NoAnswerInTime_RepeatsTheIdAtTheSameServer()
    {
        using var servers = new ScriptedServers().On("server-a", Hang(), Accept()).On("server-b", Accept());

        await servers.Client(settings => settings.RequestTimeout = TimeSpan.FromSeconds(5)).SubmitAsync(Task1, Stop);

        Assert.Equal([PostA, PostA], servers.Log);
    }

    [Fact]
    public async Task Submit_503OfAnOlderServer_CountsAsUnknown()
    {
        using var servers = new ScriptedServers().On("server-a", Unavailable(), Accept()).On("server-b", Accept());

        await servers.Client().SubmitAsync(Task1, Stop);

        Assert.Equal([PostA, PostA], servers.Log);
    }

    [Fact]
    public async Task Submit_502OfAProxy_CountsAsUnknown()
    {
        using var servers = new ScriptedServers().On("server-a", Problem(HttpStatusCode.BadGateway, "<html>"), Accept()).On("server-b", Accept());

        await servers.Client().SubmitAsync(Task1, Stop);

        Assert.Equal([PostA, PostA], servers.Log);
    }

    [Fact]
    public async Task Submit_ConnectionRefused_GoesToTheFallback()
    {
        using var servers = new ScriptedServers().On("server-a", Refused()).On("server-b", Accept());

        await servers.Client().SubmitAsync(Task1, Stop);

        Assert.Equal([PostA, PostB], servers.Log);
    }

    [Fact]
    public async Task Submit_NothingAccepted_GoesToTheFallback()
    {
        using var servers = new ScriptedServers().On("server-a", NothingAccepted()).On("server-b", Accept());

        await servers.Client().SubmitAsync(Task1, Stop);

        Assert.Equal([PostA, PostB], servers.Log);
    }

    [Fact]
    public async Task Submit_Full_GoesToTheFallback()
    {
        using var servers = new ScriptedServers().On("server-a", Full()).On("server-b", Accept());

        await servers.Client().SubmitAsync(Task1, Stop);

        Assert.Equal([PostA, PostB], servers.Log);
    }

    [Fact]
    public async Task Submit_RefusedAfterAnUnknownOutcome_StaysAtTheServer()
    {
        using var servers = new ScriptedServers().On("server-a", Lost(), Full(), NothingAccepted(), Refused(), Accept()).On("server-b", Accept());

        await servers.Client().SubmitAsync(Task1, Stop);

        Assert.Equal([PostA, PostA, PostA, PostA, PostA], servers.Log);
    }

    [Fact]
    public async Task Submit_UnknownAtTheFallback_StaysThere()
    {
        using var servers = new ScriptedServers().On("server-a", Full(), Accept()).On("server-b", Lost(), Full(), Accept());

        await servers.Client().SubmitAsync(Task1, Stop);

        Assert.Equal([PostA, PostB, PostB, PostB], servers.Log);
    }

    [Fact]
    public async Task Submit_AllFull_WaitsForRetryAfterAndBeginsWithThePrimary()
    {
        using var servers = new ScriptedServers().On("server-a", Full("7"), Accept()).On("server-b", Full("7"), Accept());

        await servers.Client().SubmitAsync(Task1, Stop);

        Assert.Equal([PostA, PostB, PostA], servers.Log);
        Assert.Equal([TimeSpan.FromSeconds(7)], servers.Time.Waits);
    }

    [Fact]
    public async Task Submit_OneServerAsksToWait_AsksOnlyTheOtherBefore()
    {
        using var servers = new ScriptedServers().On("server-a", Full("30"), Accept()).On("server-b", Refused(), Refused(), Accept());

        await servers.Client().SubmitAsync(Task1, Stop);

        Assert.Equal([PostA, PostB, PostB, PostB], servers.Log);
    }

    [Fact]
    public async Task Submit_UnreachableLately_IsTriedAfterTheFallback()
    {
        using var servers = new ScriptedServers().On("server-a", Refused(), Accept()).On("server-b", Accept());
        var client = servers.Client(settings => settings.UnreachableTime = TimeSpan.FromSeconds(5));
        await client.SubmitAsync(Task1, Stop);

        await client.SubmitAsync(Task1, Stop);
        servers.Time.Advance(TimeSpan.FromSeconds(6));
        await client.SubmitAsync(Task1, Stop);

        Assert.Equal([PostA, PostB, PostB, PostA], servers.Log);
    }

    [Fact]
    public async Task Submit_CallersId_GoesToThePrimaryOnly()
    {
        using var servers = new ScriptedServers().On("server-a", Refused(), Full(), Accept()).On("server-b", Accept());

        var id = await servers.Client().SubmitAsync(Task1 with { Options = new() { Id = "order/1" } }, Stop);

        Assert.Equal("order/1", id);
        Assert.Equal([PostA, PostA, PostA], servers.Log);
    }

    [Fact]
    public async Task Submit_CallersIdWithAllowFallback_GoesToTheFallback()
    {
        using var servers = new ScriptedServers().On("server-a", Full()).On("server-b", Accept());

        await servers.Client().SubmitAsync(Task1 with { Options = new() { Id = "order/1", AllowFallback = true } }, Stop);

        Assert.Equal([PostA, PostB], servers.Log);
    }

    [Fact]
    public async Task Submit_IdThatTheClientGaveAtAFallback_GoesThereAgain()
    {
        using var servers = new ScriptedServers().On("server-a", Full(), Accept()).On("server-b", Accept());
        var client = servers.Client();
        var id = await client.SubmitAsync(Task1, Stop);

        await client.SubmitAsync(Task1 with { Options = new() { Id = id } }, Stop);

        Assert.Equal([PostA, PostB, PostB], servers.Log);
    }

    [Fact]
    public async Task Submit_RetryLimitZero_SendsOnce()
    {
        using var servers = new ScriptedServers().On("server-a", Lost());

        await Assert.ThrowsAsync<TaskOutcomeUnknownException>(() => servers.Client(settings => settings.RetryLimit = 0).SubmitAsync(Task1, Stop));

        Assert.Single(servers.Log);
    }

    [Fact]
    public async Task Submit_Retries_WaitTwiceAsLongEachTimeUpToTheMaximum()
    {
        using var servers = new ScriptedServers().On("server-a", Refused(), Refused(), Refused(), Refused(), Accept());

        await servers.Client(settings => settings.MaxRetryDelay = TimeSpan.FromMilliseconds(350)).SubmitAsync(Task1, Stop);

        Assert.Equal([100, 200, 350, 350], servers.Time.Waits.Select(wait => wait.TotalMilliseconds));
    }

    [Fact]
    public async Task Submit_Cancelled_ThrowsOperationCanceled()
    {
        using var servers = new ScriptedServers().On("server-a", Hang());
        using var cancel = new CancellationTokenSource();
        var submission = servers.Client().SubmitAsync(Task1, cancel.Token);

        await cancel.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => submission);
    }

    [Fact]
    public async Task Submit_AllFields_AreWrittenAsTheProtocolHasThem()
    {
        using var servers = new ScriptedServers().On("server-a", Accept());
        var options = new MeshTaskOptions
        {
            Id = "a",
            Priority = 9,
            NotBefore = new(2030, 1, 31, 12, 0, 0, TimeSpan.Zero),
            MaxAttempts = 2,
            Timeout = TimeSpan.FromMinutes(5),
            Retry = new(TimeSpan.FromSeconds(10)) { Factor = 1.5, MaxDelay = TimeSpan.FromDays(1) },
        };

        await servers.Client().SubmitAsync("RESIZE", new { Image = "cat.png" }, options, Stop);

        Assert.Equal(
            """{"type":"RESIZE","id":"a","payload":{"image":"cat.png"},"priority":9,"notBefore":"2030-01-31T12:00:00.0000000\u002B00:00","maxAttempts":2,"timeout":"00:05:00","retry":"""
            + """{"delay":"00:00:10","factor":1.5,"maxDelay":"1.00:00:00"}}""",
            servers.Received[0].Body);
    }

    [Fact]
    public async Task Submit_Token_IsPresentedAndNotInMessages()
    {
        using var servers = new ScriptedServers().On("server-a", Problem(HttpStatusCode.Unauthorized, """{"detail":"This server requires a token."}"""));

        var error = await Assert.ThrowsAsync<MeshUnauthorizedException>(() => servers.Client(settings => settings.Token = "s3cret").SubmitAsync(Task1, Stop));

        Assert.Equal("Bearer s3cret", servers.Received[0].Authorization);
        Assert.DoesNotContain("s3cret", error.ToString(), StringComparison.Ordinal);
        Assert.Equal("http://server-a does not accept the token. This server requires a token. Set Mesh__Client__Token.", error.Message);
    }
}
