using System.Buffers;
using Mesh.Protocol;
using Mesh.Server.Core;
using Mesh.Server.Core.Loans;
using Mesh.Server.Core.Persistence;
using Mesh.Tests.Fixtures;
using TaskStatus = Mesh.Protocol.TaskStatus;

namespace Mesh.Tests.Core.Loans;

public sealed class BorrowerReturnTests : BorrowerTestBase
{
    [Fact]
    public void Return_AllSteps_EndsTheLoan()
    {
        var guest = Borrow("g1");
        DrainQueue(guest);
        Harness.Pass(TimeSpan.FromSeconds(1.9));
        Assert.Empty(Releases());

        Harness.Pass(TimeSpan.FromSeconds(1.2));
        Assert.Equal(["g1"], Assert.Single(Releases()).Workers.Select(w => w.Value));
        Assert.DoesNotContain(Harness.To(guest), message => message is Return);

        AcknowledgeRelease();
        Assert.Equal(CoreHarness.PeerEndpoint, Harness.Last<Return>(guest).Target);
        Harness.Close(guest);
        Assert.Equal(LoanState.Returned, Harness.LoanOf("g1"));

        Harness.Say(new ReleaseCompleted(CoreHarness.Peer, [new WorkerId("g1")]));
        Assert.Null(Harness.LoanOf("g1"));
        Assert.Contains(Harness.Stored, op => op.Kind == StoreOpKind.DropLoan);
    }

    [Fact]
    public void BorrowedWorker_ConfirmedHomeByOwner_IsRemovedBeforeItsConnectionCloses()
    {
        var guest = Borrow("g1");
        DrainQueue(guest);
        Harness.Pass(TimeSpan.FromSeconds(3.1));
        AcknowledgeRelease();
        Harness.Ask("g1", guest, home: "server-b");
        Assert.NotNull(Harness.WorkerOf("g1"));

        Harness.Say(new ReleaseCompleted(CoreHarness.Peer, [new WorkerId("g1")]));
        Harness.Submit(1);

        Assert.Null(Harness.WorkerOf("g1"));
        Assert.Null(Harness.LoanOf("g1"));
        Harness.Last<NoTask>(guest);
    }

    [Fact]
    public void BorrowedWorker_Busy_GetsReturnAfterItsTask()
    {
        var guest = Borrow("g1", leave: 1);
        var task = Harness.To(guest).OfType<NewTask>().Last();
        Harness.Pass(TimeSpan.FromSeconds(4));
        AcknowledgeRelease();
        Assert.DoesNotContain(Harness.To(guest), message => message is Return);

        Harness.Say(guest, new TaskStatus(TaskOutcome.Ok, TaskType.Query, new WorkerId("g1")) { Id = task.Id });
        Harness.Ask("g1", guest, home: "server-b");
        Harness.Last<Return>(guest);
    }

    [Fact]
    public void Release_Fails_IsRepeatedWithBackoff()
    {
        var guest = Borrow("g1");
        DrainQueue(guest);
        var times = new List<double>();
        var start = Harness.Now;
        for (var i = 0; i < 700; i++)
        {
            Harness.Pass(TimeSpan.FromMilliseconds(100));
            if (Releases().Count() > times.Count)
            {
                times.Add((Harness.Now - start).TotalSeconds);
                Harness.FailPeerRequest(CoreHarness.Peer, Releases().Last());
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
    public void Release_WithoutAnswerOrFailure_IsNotSentTwice()
    {
        BorrowAndRelease();
        Assert.Single(Releases());

        // The peer link reports a failure when its own timeout is over; until then the request is under way.
        Harness.Pass(TimeSpan.FromMinutes(5));

        Assert.Single(Releases());
    }

    [Fact]
    public void Release_MoreWorkersThanOneMessageHolds_IsSplit()
    {
        var ids = Enumerable.Range(0, 600).Select(i => $"{i:d3}{new string('"', 125)}").ToArray();
        foreach (var id in ids)
        {
            Harness.Ask(id, home: "server-b");
        }

        Harness.Pass(TimeSpan.FromSeconds(4));
        for (var sent = 1; Releases().Count() == sent; sent++)
        {
            Harness.Reply(CoreHarness.Peer, new ReleaseAck(CoreHarness.Peer, Releases().Last().Workers));
        }

        Assert.Equal(ids, Releases().SelectMany(release => release.Workers).Select(worker => worker.Value));
        Assert.All(Releases(), AssertShort);
        Assert.All(ids, id => Assert.Equal(LoanState.Returned, Harness.LoanOf(id)));
    }

    [Fact]
    public void Release_AckWithoutWorkers_IsRetried()
    {
        var guest = BorrowAndRelease();
        Harness.Reply(CoreHarness.Peer, new ReleaseAck(CoreHarness.Peer, []));
        Assert.Single(Releases());
        Harness.Pass(TimeSpan.FromSeconds(6));
        Assert.Equal(2, Releases().Count());
    }

    [Fact]
    public void Loan_OwnerAndWorkerGone_Ends()
    {
        var guest = Harness.Ask("g1", home: "server-b");
        Assert.Equal(LoanState.Arrived, Harness.LoanOf("g1"));
        Harness.Close(guest);
        for (var minutes = 0; minutes < 10; minutes++)
        {
            Harness.Pass(TimeSpan.FromSeconds(60));
            foreach (var release in Releases().ToArray())
            {
                Harness.FailPeerRequest(CoreHarness.Peer, release);
            }
        }

        Assert.Null(Harness.LoanOf("g1"));
        Assert.Equal("the worker and its owner are lost", Assert.Single(Harness.Events.OfType<LoanEnded>()).Reason);
    }

    [Fact]
    public void Loan_OwnerDeadAndWorkerPresent_KeepsTheWorker()
    {
        var guest = Harness.Ask("g1", home: "server-b");
        Harness.Pass(TimeSpan.FromMinutes(10));
        Assert.NotNull(Harness.LoanOf("g1"));
        Harness.Submit(1);
        Harness.Ask("g1", guest, home: "server-b");
        Harness.Last<NewTask>(guest);
    }

    [Fact]
    public void Return_Ignored_EndsTheLoan()
    {
        var guest = BorrowAndRelease();
        AcknowledgeRelease();
        for (var seconds = 0; seconds < 60; seconds += 5)
        {
            Harness.Pass(TimeSpan.FromSeconds(5));
            Harness.Ask("g1", guest, home: "server-b");
        }

        var ended = Assert.Single(Harness.Events.OfType<LoanEnded>());
        Assert.Equal($"the worker does not obey RETURN to {CoreHarness.PeerEndpoint}", ended.Reason);
    }

    [Fact]
    public void Queue_TypesTheBorrowedWorkerCannotHandle_ReleasesIt()
    {
        Harness.Ask("g1", home: "server-b", tasks: AccountTypes.Query);
        Harness.Submit(3, TaskType.Update);
        Harness.Pass(TimeSpan.FromSeconds(10));
        Assert.NotEmpty(Releases());
    }

    [Fact]
    public void Queue_TypesOnlyTheBorrowedWorkerHandles_KeepsIt()
    {
        var own = Harness.Ask("w1", tasks: AccountTypes.Query);
        Harness.Submit(1, TaskType.Update);
        Harness.Submit(1, TaskType.Update);
        var guest = Harness.Ask("g1", home: "server-b", tasks: AccountTypes.Update);
        Harness.Pass(TimeSpan.FromSeconds(10));
        Assert.Empty(Releases());
        Assert.Empty(Harness.To(own));

        Harness.Say(guest, new TaskStatus(TaskOutcome.Ok, TaskType.Update, new WorkerId("g1")) { Id = Harness.Last<NewTask>(guest).Id });
        Harness.Ask("g1", guest, home: "server-b", tasks: AccountTypes.Update);
        Harness.Pass(TimeSpan.FromSeconds(10));
        Assert.NotEmpty(Releases());
    }

    [Fact]
    public void Return_Lost_IsSentAgain()
    {
        var guest = BorrowAndRelease();
        AcknowledgeRelease();
        Harness.Close(guest);
        Harness.Pass(TimeSpan.FromSeconds(3));
        Harness.Last<Return>(Harness.Ask("g1", home: "server-b"));
    }

    [Fact]
    public void Return_WithoutReleaseCompleted_EndsAfterTheTimeout()
    {
        var guest = BorrowAndRelease();
        AcknowledgeRelease();
        Harness.Close(guest);
        Harness.Pass(TimeSpan.FromSeconds(61));
        Assert.Empty(Harness.Core.GetStatus().Loans);
    }

    [Fact]
    public void PromisedWorker_NeverArrives_IsReleased()
    {
        Harness.Alive();
        Harness.Submit(20);
        Harness.Pass(TimeSpan.FromSeconds(1));
        Harness.Reply(CoreHarness.Peer, new Available(CoreHarness.Peer, [new WorkerId("g1")]));
        Harness.Pass(TimeSpan.FromSeconds(32));
        Assert.Equal(["g1"], Releases().First().Workers.Select(w => w.Value));

        AcknowledgeRelease();
        Assert.Null(Harness.LoanOf("g1"));
    }

    [Fact]
    public void ReleaseCompleted_OfEarlierLoan_DoesNotEndTheCurrentLoan()
    {
        Borrow("g1");
        Harness.Say(new ReleaseCompleted(CoreHarness.Peer, [new WorkerId("g1")]));
        Assert.Equal(LoanState.Arrived, Harness.LoanOf("g1"));
    }

    [Fact]
    public void Stopping_ReturnsBorrowedWorkers()
    {
        var guest = Borrow("g1", leave: 1);
        DrainQueue(guest);
        Harness.Stop();
        Assert.False(Harness.Core.IsDrained);
        Assert.Single(Releases());
        AcknowledgeRelease();
        Harness.Last<Return>(guest);
        Assert.True(Harness.Core.IsDrained);
    }

    [Fact]
    public void Stopping_WorkerArrives_IsReturned()
    {
        Harness.Stop();
        Harness.Ask("g1", home: "server-b");
        Harness.Pass(TimeSpan.FromSeconds(1));
        Assert.Single(Releases());
    }

    [Fact]
    public void Restart_ArrivedWorkerIsGone_IsReleased()
    {
        var then = new DateTimeOffset(2025, 12, 31, 0, 0, 0, TimeSpan.Zero);
        var loan = new LoanRecord(new WorkerId("g1"), LoanRole.Borrower, CoreHarness.Peer, LoanState.Arrived, then, then);
        var mesh = new CoreHarness(stored: new StoredState { Loans = [loan] });

        // With a full queue the balancer wants no release; only the worker's absence causes one, when it has lasted for the arrival timeout, 30 s.
        mesh.Submit(20);
        mesh.Pass(TimeSpan.FromSeconds(29));
        Assert.Empty(mesh.ToPeer<CommandRelease>(CoreHarness.Peer));
        mesh.Pass(TimeSpan.FromSeconds(2));
        Assert.Equal(["g1"], Assert.Single(mesh.ToPeer<CommandRelease>(CoreHarness.Peer)).Workers.Select(worker => worker.Value));
    }

    private static void AssertShort(MeshMessage message)
    {
        var written = new ArrayBufferWriter<byte>();
        MessageWriter.Write(written, message);
        Assert.InRange(written.WrittenCount, 1, 16 * 1024);
    }
}
