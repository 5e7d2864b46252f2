using System.Buffers;
using Mesh.Protocol;
using Mesh.Server.Core;
using TaskStatus = Mesh.Protocol.TaskStatus;

namespace Mesh.Tests.Core;

public sealed class BorrowerTests
{
    private readonly CoreHarness _mesh = new();

    [Fact]
    public void Queue_AboveTheHighMark_AsksForWorkersInProportion()
    {
        _mesh.Alive();
        _mesh.Submit(15);
        _mesh.Pass(TimeSpan.FromSeconds(3));
        Assert.Empty(Requests());

        _mesh.Submit(25);
        _mesh.Pass(TimeSpan.FromSeconds(1));
        var request = Assert.Single(Requests());
        Assert.Equal((3, CoreHarness.Self, CoreHarness.SelfEndpoint), (request.WorkersNeeded, request.Server, request.Requestor));
    }

    [Fact]
    public void Queue_AboveTheHighMark_AsksNoDeadPeer()
    {
        _mesh.Submit(100);
        _mesh.Pass(TimeSpan.FromSeconds(5));
        Assert.Empty(Requests());
    }

    [Fact]
    public void Need_ThatOnePeerDoesNotMeet_GoesToTheNext()
    {
        var third = new ServerId("SERVER_3");
        _mesh.Alive(load: new ServerLoad(0, 3));
        _mesh.Alive(third);
        _mesh.Submit(45);
        _mesh.Pass(TimeSpan.FromSeconds(1));
        Assert.Equal(3, Requests().Single().WorkersNeeded);

        _mesh.Reply(CoreHarness.Peer, new Available(CoreHarness.Peer, [new WorkerId("g1")]));
        Assert.Equal(2, _mesh.ToPeer<WorkerRequest>(third).Single().WorkersNeeded);
        _mesh.Reply(third, new Unavailable(third));
        _mesh.Pass(TimeSpan.FromMilliseconds(900));
        Assert.Single(_mesh.ToPeer<WorkerRequest>(third));
    }

    [Fact]
    public void Refusal_IsAskedAgainLaterAndLater()
    {
        _mesh.Alive();
        _mesh.Submit(100);
        for (var i = 0; i < 60; i++)
        {
            _mesh.Pass(TimeSpan.FromSeconds(1));
            if (Requests().Count() > _mesh.Events.OfType<WorkersRefused>().Count())
            {
                _mesh.Reply(CoreHarness.Peer, new Unavailable(CoreHarness.Peer));
            }

            _mesh.Alive();
        }

        Assert.InRange(Requests().Count(), 4, 8);
    }

    [Fact]
    public void PromisedWorker_ThatArrives_IsStoredAndGetsTasks()
    {
        var guest = Borrow("g1");
        _mesh.Last<NewTask>(guest);
        Assert.Equal(LoanState.Arrived, _mesh.LoanOf("g1"));
        Assert.Contains(_mesh.Stored, op => op is { Kind: StoreOpKind.PutLoan, Loan.State: LoanState.Expected });
        Assert.Contains(_mesh.Stored, op => op is { Kind: StoreOpKind.PutLoan, Loan.State: LoanState.Arrived });
    }

    [Fact]
    public void UnexpectedGuest_OfAKnownPeer_IsBelieved()
    {
        _mesh.Ask("g1", home: "server-b");
        Assert.Equal(LoanState.Arrived, _mesh.LoanOf("g1"));
    }

    [Fact]
    public void Guest_OfAStranger_IsRefusedNamingTheField()
    {
        var session = _mesh.Ask("g1", home: "nobody");
        Assert.StartsWith("SERVER_UUID", _mesh.Last<Rejection>(session).Error, StringComparison.Ordinal);
        Assert.Empty(_mesh.Core.GetStatus().Workers);
    }

    [Fact]
    public void WholeReturn_StepByStep()
    {
        var guest = Borrow("g1");
        DrainQueue(guest);
        _mesh.Pass(TimeSpan.FromSeconds(1.9));
        Assert.Empty(Releases());

        _mesh.Pass(TimeSpan.FromSeconds(1.2));
        Assert.Equal(["g1"], Assert.Single(Releases()).Workers.Select(w => w.Value));
        Assert.DoesNotContain(_mesh.To(guest), message => message is Return);

        _mesh.Reply(CoreHarness.Peer, new ReleaseAck(CoreHarness.Peer, [new WorkerId("g1")]));
        Assert.Equal(CoreHarness.PeerEndpoint, _mesh.Last<Return>(guest).Target);
        _mesh.Close(guest);
        Assert.Equal(LoanState.Returned, _mesh.LoanOf("g1"));

        _mesh.Say(new ReleaseCompleted(CoreHarness.Peer, [new WorkerId("g1")]));
        Assert.Null(_mesh.LoanOf("g1"));
        Assert.Contains(_mesh.Stored, op => op.Kind == StoreOpKind.DropLoan);
    }

    [Fact]
    public void BusyGuest_GetsItsReturnAfterItsTask()
    {
        var guest = Borrow("g1", leave: 1);
        var task = _mesh.To(guest).OfType<NewTask>().Last();
        _mesh.Pass(TimeSpan.FromSeconds(4));
        _mesh.Reply(CoreHarness.Peer, new ReleaseAck(CoreHarness.Peer, [new WorkerId("g1")]));
        Assert.DoesNotContain(_mesh.To(guest), message => message is Return);

        _mesh.Say(guest, new TaskStatus(TaskOutcome.Ok, TaskType.Query, new WorkerId("g1")) { Id = task.Id });
        _mesh.Ask("g1", guest, home: "server-b");
        _mesh.Last<Return>(guest);
    }

    [Fact]
    public void Release_WithoutAnswer_IsRepeatedWithBackoff()
    {
        var guest = Borrow("g1");
        DrainQueue(guest);
        var times = new List<double>();
        var start = _mesh.Now;
        for (var i = 0; i < 700; i++)
        {
            _mesh.Pass(TimeSpan.FromMilliseconds(100));
            if (Releases().Count() > times.Count)
            {
                times.Add((_mesh.Now - start).TotalSeconds);
                _mesh.PeerFails(CoreHarness.Peer, Releases().Last());
            }
        }

        var gaps = times.Zip(times.Skip(1), (a, b) => b - a).Take(4).ToArray();
        Assert.Collection(
            gaps,
            gap => Assert.InRange(gap, 4.9, 6.1),
            gap => Assert.InRange(gap, 9.9, 11.1),
            gap => Assert.InRange(gap, 19.9, 21.1),
            gap => Assert.InRange(gap, 29.9, 31.1));
    }

    [Fact]
    public void Release_OfMoreThanOneMessageHolds_GoesOutInParts()
    {
        var ids = Enumerable.Range(0, 600).Select(i => $"{i:d3}{new string('"', 125)}").ToArray();
        foreach (var id in ids)
        {
            _mesh.Ask(id, home: "server-b");
        }

        _mesh.Pass(TimeSpan.FromSeconds(4));
        for (var sent = 1; Releases().Count() == sent; sent++)
        {
            _mesh.Reply(CoreHarness.Peer, new ReleaseAck(CoreHarness.Peer, Releases().Last().Workers));
        }

        Assert.Equal(ids, Releases().SelectMany(release => release.Workers).Select(worker => worker.Value));
        Assert.All(Releases(), AssertShort);
        Assert.All(ids, id => Assert.Equal(LoanState.Returned, _mesh.LoanOf(id)));
    }

    [Fact]
    public void Release_ThatAnswersForNone_IsRepeatedLater()
    {
        var guest = Borrow("g1");
        DrainQueue(guest);
        _mesh.Pass(TimeSpan.FromSeconds(4));
        _mesh.Reply(CoreHarness.Peer, new ReleaseAck(CoreHarness.Peer, []));
        Assert.Single(Releases());
        _mesh.Pass(TimeSpan.FromSeconds(6));
        Assert.Equal(2, Releases().Count());
    }

    [Fact]
    public void LostOwner_WithItsWorker_EndsTheLoan()
    {
        var guest = _mesh.Ask("g1", home: "server-b");
        _mesh.Close(guest);
        for (var minutes = 0; minutes < 10; minutes++)
        {
            _mesh.Pass(TimeSpan.FromSeconds(60));
            foreach (var release in Releases().ToArray())
            {
                _mesh.PeerFails(CoreHarness.Peer, release);
            }
        }

        Assert.Null(_mesh.LoanOf("g1"));
    }

    [Fact]
    public void LostOwner_WhoseWorkerIsHere_LeavesItHere()
    {
        var guest = _mesh.Ask("g1", home: "server-b");
        _mesh.Pass(TimeSpan.FromMinutes(10));
        Assert.NotNull(_mesh.LoanOf("g1"));
        _mesh.Submit(1);
        _mesh.Ask("g1", guest, home: "server-b");
        _mesh.Last<NewTask>(guest);
    }

    [Fact]
    public void Return_ThatIsNotObeyed_EndsTheLoan()
    {
        var guest = Borrow("g1");
        DrainQueue(guest);
        _mesh.Pass(TimeSpan.FromSeconds(4));
        _mesh.Reply(CoreHarness.Peer, new ReleaseAck(CoreHarness.Peer, [new WorkerId("g1")]));
        for (var seconds = 0; seconds < 60; seconds += 5)
        {
            _mesh.Pass(TimeSpan.FromSeconds(5));
            _mesh.Ask("g1", guest, home: "server-b");
        }

        var ended = Assert.Single(_mesh.Events.OfType<LoanEnded>());
        Assert.Equal($"the worker does not obey RETURN to {CoreHarness.PeerEndpoint}", ended.Reason);
    }

    [Fact]
    public void Queue_OfWhatTheGuestCannotDo_DoesNotKeepIt()
    {
        _mesh.Ask("g1", home: "server-b", tasks: TaskTypes.Query);
        _mesh.Submit(3, TaskType.Update);
        _mesh.Pass(TimeSpan.FromSeconds(10));
        Assert.NotEmpty(Releases());
    }

    [Fact]
    public void Queue_OfWhatOnlyTheGuestCanDo_KeepsIt()
    {
        var own = _mesh.Ask("w1", tasks: TaskTypes.Query);
        _mesh.Submit(1, TaskType.Update);
        _mesh.Submit(1, TaskType.Update);
        var guest = _mesh.Ask("g1", home: "server-b", tasks: TaskTypes.Update);
        _mesh.Pass(TimeSpan.FromSeconds(10));
        Assert.Empty(Releases());
        Assert.Empty(_mesh.To(own));

        _mesh.Say(guest, new TaskStatus(TaskOutcome.Ok, TaskType.Update, new WorkerId("g1")) { Id = _mesh.Last<NewTask>(guest).Id });
        _mesh.Ask("g1", guest, home: "server-b", tasks: TaskTypes.Update);
        _mesh.Pass(TimeSpan.FromSeconds(10));
        Assert.NotEmpty(Releases());
    }

    [Fact]
    public void Return_ThatWasLost_IsGivenAgain()
    {
        var guest = Borrow("g1");
        DrainQueue(guest);
        _mesh.Pass(TimeSpan.FromSeconds(4));
        _mesh.Reply(CoreHarness.Peer, new ReleaseAck(CoreHarness.Peer, [new WorkerId("g1")]));
        _mesh.Close(guest);
        _mesh.Pass(TimeSpan.FromSeconds(3));
        _mesh.Last<Return>(_mesh.Ask("g1", home: "server-b"));
    }

    [Fact]
    public void ReturnWithoutReleaseCompleted_EndsByItself()
    {
        var guest = Borrow("g1");
        DrainQueue(guest);
        _mesh.Pass(TimeSpan.FromSeconds(4));
        _mesh.Reply(CoreHarness.Peer, new ReleaseAck(CoreHarness.Peer, [new WorkerId("g1")]));
        _mesh.Close(guest);
        _mesh.Pass(TimeSpan.FromSeconds(61));
        Assert.Empty(_mesh.Core.GetStatus().Loans);
    }

    [Fact]
    public void PromisedWorker_ThatNeverComes_IsReleased()
    {
        _mesh.Alive();
        _mesh.Submit(20);
        _mesh.Pass(TimeSpan.FromSeconds(1));
        _mesh.Reply(CoreHarness.Peer, new Available(CoreHarness.Peer, [new WorkerId("g1")]));
        _mesh.Pass(TimeSpan.FromSeconds(32));
        Assert.Equal(["g1"], Releases().First().Workers.Select(w => w.Value));

        _mesh.Reply(CoreHarness.Peer, new ReleaseAck(CoreHarness.Peer, [new WorkerId("g1")]));
        Assert.Null(_mesh.LoanOf("g1"));
    }

    [Fact]
    public void OwnWorker_NamedByAnOwner_StaysHome()
    {
        _mesh.Alive();
        var own = _mesh.Ask("w1", tasks: TaskTypes.Query);
        _mesh.Submit(20, TaskType.Update);
        _mesh.Pass(TimeSpan.FromSeconds(1));
        _mesh.Reply(CoreHarness.Peer, new Available(CoreHarness.Peer, [new WorkerId("w1")]));
        Assert.Null(_mesh.LoanOf("w1"));
        Assert.Empty(_mesh.To(own));
    }

    [Fact]
    public void WorkerOfAThirdServer_LentOnByAnOwner_IsReturnedToItsHome()
    {
        _mesh.Alive();
        _mesh.Submit(20);
        _mesh.Pass(TimeSpan.FromSeconds(1));
        _mesh.Reply(CoreHarness.Peer, new Available(CoreHarness.Peer, [new WorkerId("g1")]));
        _mesh.Ask("g1", home: "SERVER_3");
        Assert.Equal(new ServerId("SERVER_3"), _mesh.Core.GetStatus().Loans.Single().Peer);
    }

    [Fact]
    public void StaleReleaseCompleted_DoesNotEndALoanThatArrived()
    {
        Borrow("g1");
        _mesh.Say(new ReleaseCompleted(CoreHarness.Peer, [new WorkerId("g1")]));
        Assert.Equal(LoanState.Arrived, _mesh.LoanOf("g1"));
    }

    [Fact]
    public void Stopping_ReturnsBorrowedWorkers()
    {
        var guest = Borrow("g1", leave: 0);
        DrainQueue(guest);
        _mesh.Stop();
        Assert.False(_mesh.Core.IsDrained);
        Assert.Single(Releases());
        _mesh.Reply(CoreHarness.Peer, new ReleaseAck(CoreHarness.Peer, [new WorkerId("g1")]));
        _mesh.Last<Return>(guest);
        Assert.True(_mesh.Core.IsDrained);
    }

    [Fact]
    public void Stopping_ReturnsWhoComesMeanwhile()
    {
        _mesh.Stop();
        _mesh.Ask("g1", home: "server-b");
        _mesh.Pass(TimeSpan.FromSeconds(1));
        Assert.Single(Releases());
    }

    [Fact]
    public void Restart_WithAnArrivedGuestThatIsGone_ReleasesIt()
    {
        var then = new DateTimeOffset(2025, 12, 31, 0, 0, 0, TimeSpan.Zero);
        var loan = new LoanRecord(new WorkerId("g1"), LoanRole.Borrower, CoreHarness.Peer, LoanState.Releasing, then, then);
        var mesh = new CoreHarness(stored: new StoredState { Loans = [loan] });
        mesh.Pass(TimeSpan.FromSeconds(31));
        Assert.NotEmpty(mesh.ToPeer<CommandRelease>(CoreHarness.Peer));
    }

    private static void AssertShort(MeshMessage message)
    {
        var written = new ArrayBufferWriter<byte>();
        MessageWriter.Write(written, message);
        Assert.InRange(written.WrittenCount, 1, 16 * 1024);
    }

    private IEnumerable<WorkerRequest> Requests() => _mesh.ToPeer<WorkerRequest>(CoreHarness.Peer);

    private IEnumerable<CommandRelease> Releases() => _mesh.ToPeer<CommandRelease>(CoreHarness.Peer);

    /// <summary>Borrows one worker with twenty tasks, and leaves so many of them (all but one when null).</summary>
    private SessionId Borrow(string worker, int? leave = null)
    {
        _mesh.Alive();
        _mesh.Submit(20);
        _mesh.Pass(TimeSpan.FromSeconds(1));
        _mesh.Reply(CoreHarness.Peer, new Available(CoreHarness.Peer, [new WorkerId(worker)]));
        var session = _mesh.Ask(worker, home: "server-b");
        for (var left = 20; leave is { } l && left > Math.Max(1, l); left--)
        {
            SettleOne(worker, session);
        }

        return session;
    }

    private void DrainQueue(SessionId session)
    {
        while (_mesh.Core.GetStatus() is { Running: > 0 })
        {
            SettleOne("g1", session);
        }
    }

    private void SettleOne(string worker, SessionId session)
    {
        var task = _mesh.To(session).OfType<NewTask>().Last();
        _mesh.Say(session, new TaskStatus(TaskOutcome.Ok, TaskType.Query, new WorkerId(worker)) { Id = task.Id });
        _mesh.Ask(worker, session, home: "server-b");
    }
}
