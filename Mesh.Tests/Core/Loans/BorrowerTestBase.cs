using Mesh.Protocol;
using Mesh.Server.Core;
using TaskStatus = Mesh.Protocol.TaskStatus;

namespace Mesh.Tests.Core.Loans;

/// <summary>Base of the tests of a server that has twenty tasks and has borrowed a worker for them.</summary>
public abstract class BorrowerTestBase
{
    private protected CoreHarness Harness { get; } = new();

    private protected IEnumerable<WorkerRequest> Requests() => Harness.ToPeer<WorkerRequest>(CoreHarness.Peer);

    private protected IEnumerable<CommandRelease> Releases() => Harness.ToPeer<CommandRelease>(CoreHarness.Peer);

    /// <summary>Submits twenty tasks and borrows one worker, which runs the first of them.</summary>
    /// <param name="leave">How many tasks stay unsettled, at least one: the one that the worker runs. Null leaves all twenty.</param>
    private protected SessionId Borrow(string worker, int? leave = null)
    {
        Harness.Alive();
        Harness.Submit(20);
        Harness.Pass(TimeSpan.FromSeconds(1));
        Harness.Reply(CoreHarness.Peer, new Available(CoreHarness.Peer, [new WorkerId(worker)]));
        var session = Harness.Ask(worker, home: "server-b");
        for (var left = 20; leave is { } l && left > Math.Max(1, l); left--)
        {
            SettleOne(worker, session);
        }

        return session;
    }

    /// <summary>Borrows g1, settles all tasks, and waits until the server asks for the worker's release.</summary>
    private protected SessionId BorrowAndRelease()
    {
        var guest = Borrow("g1");
        DrainQueue(guest);
        Harness.Pass(TimeSpan.FromSeconds(4));
        return guest;
    }

    private protected void AcknowledgeRelease() => Harness.Reply(CoreHarness.Peer, new ReleaseAck(CoreHarness.Peer, [new WorkerId("g1")]));

    private protected void DrainQueue(SessionId session)
    {
        for (var settled = 0; Harness.Core.GetStatus() is { Running: > 0 }; settled++)
        {
            Assert.InRange(settled, 0, 20);
            SettleOne("g1", session);
        }
    }

    private protected void SettleOne(string worker, SessionId session, string home = "server-b")
    {
        var task = Harness.To(session).OfType<NewTask>().Last();
        Harness.Say(session, new TaskStatus(TaskOutcome.Ok, TaskType.Query, new WorkerId(worker)) { Id = task.Id });
        Harness.Ask(worker, session, home: home);
    }
}
