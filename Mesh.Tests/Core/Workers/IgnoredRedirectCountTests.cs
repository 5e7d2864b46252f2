using Mesh.Protocol;
using Mesh.Server.Core;

namespace Mesh.Tests.Core.Workers;

/// <summary>A worker that ignores a redirect to a borrower is not lent again for a while.</summary>
public sealed class IgnoredRedirectCountTests
{
    private readonly CoreHarness _mesh = new(settings => settings with { Balancing = settings.Balancing with { MinWorkersBeforeSharing = 0 } });

    [Fact]
    public void Worker_IgnoresRedirect_IsNotLentWithGrowingBackoff()
    {
        Poll(TimeSpan.FromSeconds(1));
        foreach (var seconds in new[] { 30, 60, 120 })
        {
            Assert.True(IsOffered());
            Poll(TimeSpan.FromSeconds(4));
            Assert.Equal(seconds, _mesh.Events.OfType<RedirectIgnored>().Last().Pause.TotalSeconds);
            Assert.Null(_mesh.LoanOf("py"));
            Assert.NotNull(Status().NotLentUntil);

            Poll(TimeSpan.FromSeconds(seconds - 10));
            Assert.False(IsOffered());
            Poll(TimeSpan.FromSeconds(10));
        }

        Assert.Equal([1, 2, 3], _mesh.Events.OfType<RedirectIgnored>().Select(ignored => ignored.Count));
        _mesh.Submit(1);
        Poll(TimeSpan.FromSeconds(1));
        Assert.Equal(WorkerState.Busy, _mesh.WorkerOf("py"));
    }

    [Fact]
    public void Worker_BackFromLoan_IsLentAgain()
    {
        Poll(TimeSpan.FromSeconds(1));
        Assert.True(IsOffered());
        Poll(TimeSpan.FromSeconds(4));
        Poll(TimeSpan.FromSeconds(30));
        Assert.True(IsOffered());
        _mesh.Say(new CommandRelease(CoreHarness.Peer, [new WorkerId("py")]));
        _mesh.Ask("py", framing: Framing.Line, sendsTypes: false);

        Assert.Null(_mesh.LoanOf("py"));
        Assert.Null(Status().NotLentUntil);
        Assert.True(IsOffered());
    }

    [Fact]
    public void Worker_BackLongAfterRedirect_HasNotIgnoredIt()
    {
        Poll(TimeSpan.FromSeconds(1));
        Assert.True(IsOffered());
        _mesh.Pass(TimeSpan.FromSeconds(60));
        _mesh.Ask("py", framing: Framing.Line, sendsTypes: false);

        Assert.Empty(_mesh.Events.OfType<RedirectIgnored>());
        Assert.Contains(_mesh.Events.OfType<LoanEnded>(), ended => ended.Reason == "the worker is back by itself");
    }

    [Fact]
    public void Worker_ReleasedBeforeItArrives_LetsTheOthersGoFirst()
    {
        string[] offered = ["", "", ""];
        for (var i = 0; i < offered.Length; i++)
        {
            foreach (var worker in (string[])["py", "other"])
            {
                _mesh.Ask(worker, framing: Framing.Line, sendsTypes: false);
            }

            var session = _mesh.Say(new WorkerRequest(CoreHarness.PeerEndpoint) { Server = CoreHarness.Peer, WorkersNeeded = 1 });
            var lent = Assert.Single(Assert.IsType<Available>(_mesh.Sent.Last(send => send.Session == session).Message).Workers);
            _mesh.Pass(TimeSpan.FromSeconds(3));
            _mesh.Say(new CommandRelease(CoreHarness.Peer, [lent]));
            offered[i] = lent.Value;
        }

        Assert.Equal(["py", "other", "py"], offered);
        Assert.Empty(_mesh.Events.OfType<RedirectIgnored>());
    }

    private WorkerStatus Status() => Assert.Single(_mesh.Core.GetStatus().Workers);

    /// <summary>A peer requests a worker.</summary>
    private bool IsOffered()
    {
        var session = _mesh.Say(new WorkerRequest(CoreHarness.PeerEndpoint) { Server = CoreHarness.Peer, WorkersNeeded = 1 });
        return _mesh.Sent.Last(send => send.Session == session).Message is Available;
    }

    /// <summary>The worker polls each second, whatever the answer is.</summary>
    private void Poll(TimeSpan time)
    {
        for (var end = _mesh.Now + time; _mesh.Now < end; _mesh.Pass(TimeSpan.FromSeconds(1)))
        {
            _mesh.Ask("py", framing: Framing.Line, sendsTypes: false);
        }
    }
}
