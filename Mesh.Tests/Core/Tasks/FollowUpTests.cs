using System.Text;
using Mesh.Protocol;
using Mesh.Server.Core;
using Mesh.Server.Core.Persistence;
using Mesh.Server.Core.Tasks;
using TaskStatus = Mesh.Protocol.TaskStatus;

namespace Mesh.Tests.Core.Tasks;

/// <summary>The tasks of THEN are accepted with the result of the task that submits them: all or none, and once (docs/protocol.md, "Tasks of any type").</summary>
public sealed class FollowUpTests
{
    private const string Trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    private const string ProcessSpan = "00-0af7651916cd43dd8448eb211c80319c-00f067aa0ba902b7-01";
    private const string OtherTrace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    private const string TwoTasks = """[{"type":"NOTIFY","payload":{"n":1}},{"type":"QUERY","user":"Maria"}]""";
    private static readonly WorkerId Worker = new("w1");

    [Fact]
    public void Status_WithThen_StoresTheTasksInTheSettlingChange()
    {
        var core = new CoreHarness();
        var (parent, session) = Run(core, Parent(core) with { TraceParent = Trace });

        Say(core, session, parent, TwoTasks, trace: ProcessSpan);

        var settled = Assert.Single(core.Stored, op => op.Kind == StoreOpKind.SettleTask);
        Assert.Equal(
            [(FollowUpId.Of(parent, 0), "NOTIFY", ProcessSpan), (FollowUpId.Of(parent, 1), "QUERY", ProcessSpan)],
            settled.Then!.Select(task => (task.WireId, task.Type.Name, task.TraceParent)));
        Assert.All(settled.Then!, task => Assert.True(task.Keyed && task.Id == task.WireId.Value && task.Sequence > 0));
        Assert.Equal(2, core.Core.QueueDepth);
        Assert.Single(core.To(session).OfType<Ack>());
    }

    [Theory]
    [InlineData(OtherTrace)]
    [InlineData(null)]
    public void Status_OfAnotherTrace_GivesTheFollowUpTheTraceOfItsParent(string? trace)
    {
        var core = new CoreHarness();
        var (parent, session) = Run(core, Parent(core) with { TraceParent = Trace });

        Say(core, session, parent, TwoTasks, trace: trace);

        Assert.All(core.Stored.Single(op => op.Kind == StoreOpKind.SettleTask).Then!, task => Assert.Equal(Trace, task.TraceParent));
    }

    [Fact]
    public void FollowUps_BeforeTheyAreStored_AreNotDispatched()
    {
        var core = new CoreHarness();
        var (parent, session) = Run(core, Parent(core));
        var other = core.Ask("w2", tasks: TaskTypeSet.Of(TaskType.Query));
        core.HoldStore = true;

        Say(core, session, parent, TwoTasks);
        Assert.Empty(core.To(other));
        Assert.Empty(core.To(session).OfType<Ack>());

        core.Store();
        Assert.Equal(FollowUpId.Of(parent, 1), core.Last<NewTask>(other).Id);
        Assert.Single(core.To(session).OfType<Ack>());
    }

    [Theory]
    [InlineData("""[{"type":"NOTIFY"},{"type":"NO_TASK"}]""", "THEN[1].type must be a letter")]
    [InlineData("""[{"type":"UPDATE","user":"Maria"}]""", "THEN[0].amount is missing")]
    [InlineData("""[17]""", "THEN[0] must be an object")]
    [InlineData("""[{"type":"NOTIFY","Payload":1}]""", "THEN[0].Payload is unknown")]
    [InlineData("""[{"type":"NOTIFY","id":"x"},{"type":"OTHER","id":"x"}]""", "THEN[1].id belongs to a task with another Type")]
    [InlineData("""[{"type":"NOTIFY","payload":"\ud800","user":"\ud800"}]""", "THEN[0].user is not valid Unicode")]
    public void Status_WithInvalidThen_FailsTheAttemptAndAcceptsNothing(string then, string error)
    {
        var core = new CoreHarness();
        var (parent, session) = Run(core, Parent(core));

        Say(core, session, parent, then);

        Assert.Single(core.To(session).OfType<Ack>());
        Assert.Empty(core.To(session).OfType<Rejection>());
        Assert.DoesNotContain(core.Stored, op => op.Kind == StoreOpKind.SettleTask);
        var failed = core.Stored.Single(op => op.Kind == StoreOpKind.UpdateTask).Task!;
        Assert.Equal((parent, 1), (failed.WireId, failed.Attempts));
        Assert.StartsWith(error, failed.Error, StringComparison.Ordinal);
        Assert.Equal(1, core.Core.Footprint.Tasks);
    }

    [Fact]
    public void Status_WithTooManyTasks_FailsTheAttempt()
    {
        var core = new CoreHarness();
        var (parent, session) = Run(core, Parent(core));

        Say(core, session, parent, $"[{string.Join(',', Enumerable.Repeat("""{"type":"A"}""", FollowUps.MaxTasks + 1))}]");

        Assert.Equal("THEN must not contain more than 1000 tasks", core.Stored.Single(op => op.Kind == StoreOpKind.UpdateTask).Task!.Error);
        Assert.Equal(1, core.Core.Footprint.Tasks);
    }

    [Fact]
    public void Status_WithEmptyThen_SettlesTheTask()
    {
        var core = new CoreHarness();
        var (parent, session) = Run(core, Parent(core));

        Say(core, session, parent, "[]");

        Assert.Null(core.Stored.Single(op => op.Kind == StoreOpKind.SettleTask).Then);
    }

    [Fact]
    public void Status_ThatRepeatsAKnownId_AddsNothingOrConflicts()
    {
        var core = new CoreHarness();
        core.Submit(1, id: "order-1");
        var (first, session) = Run(core, Parent(core));
        Say(core, session, first, """[{"type":"QUERY","user":"Maria","id":"order-1"},{"type":"NOTIFY","id":"own"},{"type":"NOTIFY","id":"own"}]""");
        Assert.Equal(["own"], core.Stored.Single(op => op.Kind == StoreOpKind.SettleTask).Then!.Select(task => task.Id));

        var (second, again) = Run(core, Parent(core));
        Say(core, again, second, """[{"type":"NOTIFY"},{"type":"QUERY","user":"Ana","id":"order-1"}]""");
        Assert.Equal("THEN[1].id belongs to a task with another User", core.Stored.Last(op => op.Kind == StoreOpKind.UpdateTask).Task!.Error);
        Assert.Null(core.Core.FindTask(FollowUpId.Of(second, 0).Value));
    }

    [Fact]
    public void Status_ThatNamesATaskBeingSubmitted_ReturnsTheTaskUncounted()
    {
        var core = new CoreHarness();
        var (parent, session) = Run(core, Parent(core));
        core.HoldStore = true;
        core.Submit(1, id: "order-1");

        Say(core, session, parent, """[{"type":"QUERY","user":"Maria","id":"order-1"}]""");
        core.Store();

        Assert.DoesNotContain(core.Stored, op => op.Kind == StoreOpKind.SettleTask);
        Assert.Contains(core.Events.OfType<TaskRequeued>(), back => back.Task.WireId == parent && !back.IsCounted);
        Assert.Single(core.To(session).OfType<Ack>());
    }

    [Fact]
    public void Status_RepeatedAfterTheEnd_SubmitsNothing()
    {
        var core = new CoreHarness();
        var (parent, session) = Run(core, Parent(core));
        Say(core, session, parent, TwoTasks);

        Say(core, session, parent, TwoTasks);

        Assert.Equal(2, core.Core.Footprint.Tasks);
        Assert.Single(core.Stored, op => op.Kind == StoreOpKind.SettleTask);
    }

    [Fact]
    public void FailedWrite_OfASettlement_IsRepeatedWithItsFollowUps()
    {
        var core = new CoreHarness();
        var (parent, session) = Run(core, Parent(core));
        core.HoldStore = true;
        Say(core, session, parent, TwoTasks);

        core.FailStore();
        Assert.Equal(0, core.Core.QueueDepth);
        core.Store();

        Assert.Equal(2, core.Stored.Single(op => op.Kind == StoreOpKind.SettleTask).Then!.Count);
        Assert.DoesNotContain(core.Stored, op => op.Kind == StoreOpKind.DropTask);
        Assert.Equal(2, core.Core.QueueDepth);
        Assert.Single(core.To(session).OfType<Ack>());
    }

    [Fact]
    public void FollowUp_KnownToTheStore_IsNotQueued()
    {
        var core = new CoreHarness();
        var (parent, session) = Run(core, Parent(core));
        core.Know("order-1", new TaskRecord("order-1", new TaskId("w9"), TaskType.Query, "Ana", Amount: null, Sequence: 1) { Keyed = true });
        core.Know(FollowUpId.Of(parent, 1).Value);

        Say(core, session, parent, """[{"type":"QUERY","user":"Maria","id":"order-1"},{"type":"NOTIFY"},{"type":"LAST"}]""");

        Assert.Equal((1, 1), (core.Core.QueueDepth, core.Core.Footprint.Tasks));
        Assert.Equal("the id order-1 belongs to a task with another User", Assert.Single(core.Events.OfType<FollowUpRefused>()).Error);
    }

    [Fact]
    public void RolledBackStore_BeforeTheSettlement_StoresFollowUpsWithIt()
    {
        var core = new CoreHarness();
        var task = Parent(core);
        var (parent, session) = Run(core, task);
        core.HoldStore = true;
        Say(core, session, parent, TwoTasks);

        core.RollBackStore(new StoredState());

        Assert.Equal([parent], core.Stored.Where(op => op.Kind == StoreOpKind.RestoreTask).Select(op => op.Task!.WireId));
        Assert.Equal(2, core.Stored.Single(op => op.Kind == StoreOpKind.SettleTask).Then!.Count);
        Assert.Equal((2, 1L), (core.Core.QueueDepth, core.Core.GetStatus().Done));
    }

    [Fact]
    public void RolledBackStore_AfterTheSettlement_RestoresFollowUpsAndAddsNoneTwice()
    {
        var core = new CoreHarness();
        var task = Parent(core);
        var (parent, session) = Run(core, task);
        Say(core, session, parent, TwoTasks);

        core.RollBackStore(new StoredState { Tasks = [task] });
        Assert.Equal(
            [FollowUpId.Of(parent, 0), FollowUpId.Of(parent, 1)],
            core.Stored.Where(op => op.Kind == StoreOpKind.RestoreTask).Select(op => op.Task!.WireId).OrderBy(id => id == FollowUpId.Of(parent, 1)));
        Assert.Equal(3, core.Core.QueueDepth);

        // It runs again, and its handler returns another payload.
        var again = core.Ask("w1", tasks: TaskTypeSet.Of(task.Type));
        Say(core, again, parent, """[{"type":"NOTIFY","payload":{"n":2}},{"type":"QUERY","user":"Maria"},{"type":"THIRD"}]""");
        Assert.Equal(["THIRD"], core.Stored.Last(op => op.Kind == StoreOpKind.SettleTask).Then!.Select(one => one.Type.Name));
        Assert.Equal(3, core.Core.Footprint.Tasks);
    }

    [Fact]
    public void Restart_WithAPartlyAppliedSettlement_ContinuesIt()
    {
        var parent = new TaskRecord("p", new TaskId("p"), Type("RESIZE"), null, null, 1) { State = TaskState.Done, Attempts = 1, Worker = Worker, Result = RawJson.Of(5) };
        var next = new TaskRecord("n", new TaskId("n"), Type("NOTIFY"), null, null, 2) { Keyed = true };

        var core = new CoreHarness(stored: new StoredState { Tasks = [parent, next] });

        Assert.Equal(parent, Assert.Single(core.Stored, op => op.Kind == StoreOpKind.SettleTask).Task);
        Assert.Equal((1, 1L, 1), (core.Core.QueueDepth, core.Core.GetStatus().Done, core.Core.Footprint.Tasks));
    }

    [Fact]
    public void AdoptedTask_WithThen_StoresFollowUpsWithItsServer()
    {
        var core = new CoreHarness();
        core.Adopt(CoreHarness.Peer, new TaskRecord("t1", new TaskId("t1"), Type("RESIZE"), null, null, 1) { StoredBy = CoreHarness.Peer });
        var session = core.Ask("w1", tasks: TaskTypeSet.Of(Type("RESIZE")));
        core.HoldStore = true;
        Say(core, session, new TaskId("t1"), TwoTasks);
        Assert.Equal(3, core.Core.Footprint.Tasks);

        core.ReleaseAdopted(CoreHarness.Peer);
        core.Store();

        Assert.All(core.Stored.Single(op => op.Kind == StoreOpKind.SettleTask).Then!, task => Assert.Equal(CoreHarness.Peer, task.StoredBy));
        Assert.Equal((0, 0), (core.Core.QueueDepth, core.Core.Footprint.Tasks));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void UpdateBeingInvalidated_LateOkWithThen_IsAcceptedIfItWasApplied(bool applied)
    {
        var core = new CoreHarness(settings => settings with { Tasks = settings.Tasks with { MaxAttempts = 1 } });
        var task = core.Submit(1, TaskType.Update)[0];
        var session = core.Ask("w1");
        core.Pass(TimeSpan.FromMinutes(1));
        Assert.Single(core.Invalidations);
        core.Say(session, new TaskStatus(TaskOutcome.Ok, TaskType.Update, Worker) { Id = task.WireId, Then = Json(TwoTasks) });
        Assert.Equal(1, core.Core.Footprint.Tasks);

        core.Invalidated(task.WireId, applied ? 7m : null);

        Assert.Equal(applied ? 2 : 0, core.Core.Footprint.Tasks);
        Assert.Equal(applied, core.Stored.Exists(op => op is { Kind: StoreOpKind.SettleTask, Then.Count: 2 }));
    }

    [Fact]
    public void Capacity_Reached_DoesNotRefuseFollowUps()
    {
        var core = new CoreHarness(settings => settings with { Tasks = settings.Tasks with { Capacity = 1 } });
        var (parent, session) = Run(core, Parent(core));

        Say(core, session, parent, TwoTasks);

        Assert.Equal(2, core.Core.QueueDepth);
    }

    [Fact]
    public void Id_OfALongChain_KeepsItsLength()
    {
        var id = new TaskId("t1");
        for (var i = 0; i < 100; i++)
        {
            id = FollowUpId.Of(id, i);
        }

        Assert.Equal(32, id.Value.Length);

        // The example of docs/protocol.md.
        Assert.Equal(Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData("t1.0"u8))[..32], FollowUpId.Of(new TaskId("t1"), 0).Value);
    }

    private static TaskType Type(string name) => TaskType.Parse(name)!.Value;

    private static RawJson Json(string text) => RawJson.Copy(Encoding.UTF8.GetBytes(text));

    private static TaskRecord Parent(CoreHarness core)
    {
        var wire = $"task-{core.Core.Footprint.Tasks}-{core.Stored.Count}";
        return new TaskRecord(wire, new TaskId(wire), Type("RESIZE"), null, null, 0);
    }

    private static (TaskId Task, SessionId Session) Run(CoreHarness core, TaskRecord task)
    {
        core.Submit(new Submission([task]));
        var session = core.Ask("w1", tasks: TaskTypeSet.Of(task.Type));
        Assert.Equal(task.WireId, core.Last<NewTask>(session).Id);
        return (task.WireId, session);
    }

    private static void Say(CoreHarness core, SessionId session, TaskId task, string then, string? trace = null) =>
        core.Say(session, new TaskStatus(TaskOutcome.Ok, Type("RESIZE"), Worker) { Id = task, Then = Json(then), TraceParent = trace });
}
