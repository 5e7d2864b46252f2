using Mesh.Protocol;
using Mesh.Server.Core;
using Mesh.Server.Core.Persistence;
using Mesh.Server.Core.Tasks;
using TaskStatus = Mesh.Protocol.TaskStatus;

namespace Mesh.Tests.Core.Tasks;

public sealed class TaskAdmissionTests
{
    private readonly CoreHarness _mesh = new();

    [Fact]
    public void Submission_BeforeItIsStored_IsNeitherAnsweredNorDispatched()
    {
        var worker = _mesh.Ask("w1");
        _mesh.HoldStore = true;
        _mesh.Submit(1);

        Assert.Empty(_mesh.Answers);
        Assert.Empty(_mesh.To(worker));

        _mesh.Store();
        Assert.Equal([SubmitOutcome.Accepted], _mesh.Answers);
        _mesh.Last<NewTask>(worker);
    }

    [Fact]
    public void Submission_OfAKnownKey_IsTheSameTask()
    {
        _mesh.Submit(1, id: "order-1");
        _mesh.Submit(1, id: "order-1");
        Assert.Equal([SubmitOutcome.Accepted, SubmitOutcome.Accepted], _mesh.Answers);
        Assert.Equal(1, _mesh.Core.GetStatus().Queue);

        _mesh.Know("order-0");
        _mesh.Submit(1, id: "order-0");
        Assert.Equal(SubmitOutcome.Accepted, _mesh.Answers[^1]);
        Assert.Equal(1, _mesh.Core.GetStatus().Queue);
    }

    [Fact]
    public void Submission_OfAKnownKeyWithOtherContents_IsAConflictAndChangesNothing()
    {
        _mesh.Submit(new Submission([Keyed("order-1", "w1")]));
        var second = new Submission([Keyed("order-2", "w2"), Keyed("order-1", "w3") with { Type = TaskType.Update, Amount = 1 }]);
        _mesh.Submit(second);

        Assert.Equal([SubmitOutcome.Accepted, SubmitOutcome.Conflict], _mesh.Answers);
        Assert.Equal(new TaskConflict(1, TaskFields.Type | TaskFields.Amount), second.Conflict);
        Assert.Equal("w1", Assert.Single(_mesh.Stored).Task!.WireId.Value);
        Assert.Equal(1, _mesh.Core.GetStatus().Queue);
        Assert.Null(_mesh.Core.FindTask("order-2"));
    }

    [Fact]
    public void Submission_OfAKeyStoredWithOtherContents_IsWithdrawnBeforeItIsAnswered()
    {
        _mesh.Know("order-0", Keyed("order-0", "w0"));
        _mesh.HoldStore = true;
        var submission = new Submission([Keyed("order-1", "w1"), Keyed("order-0", "w2") with { User = "Joao" }]);
        _mesh.Submit(submission);
        _mesh.StoreOnce();
        Assert.Empty(_mesh.Answers);

        _mesh.Store();
        Assert.Equal([SubmitOutcome.Conflict], _mesh.Answers);
        Assert.Equal(new TaskConflict(1, TaskFields.User), submission.Conflict);
        Assert.Equal((StoreOpKind.DropTask, "w1"), (_mesh.Stored[^1].Kind, _mesh.Stored[^1].Task!.WireId.Value));
        Assert.Equal(3, _mesh.Stored.Count);
        Assert.Equal(0, _mesh.Core.GetStatus().Queue);
    }

    [Fact]
    public void Submission_RepeatsATaskThenWithdrawn_IsDecidedAgain()
    {
        _mesh.Know("order-0", Keyed("order-0", "w0"));
        _mesh.HoldStore = true;
        _mesh.Submit(new Submission([Keyed("order-1", "w1"), Keyed("order-0", "w2") with { User = "Joao" }]));
        _mesh.Submit(new Submission([Keyed("order-2", "w3"), Keyed("order-1", "w4")]));
        _mesh.Submit(new Submission([Keyed("order-0", "w5") with { User = "Joao" }]));
        _mesh.Store();

        Assert.Equal(2, _mesh.Answers.Count(answer => answer == SubmitOutcome.Conflict));
        Assert.Single(_mesh.Answers, SubmitOutcome.Accepted);
        Assert.Equal(["w3", "w4"], _mesh.Core.ListTasks(TaskState.Queued, 10).Select(task => task.WireId.Value));
    }

    [Fact]
    public void Submission_AboveCapacity_IsRefusedCompletely()
    {
        var mesh = new CoreHarness(settings => settings with { Tasks = new TasksOptions { Capacity = 10 } });
        mesh.Submit(8);
        mesh.Submit(3);
        Assert.Equal([SubmitOutcome.Accepted, SubmitOutcome.Full], mesh.Answers);
        Assert.Equal(8, mesh.Core.GetStatus().Queue);
    }

    [Fact]
    public void Submission_LargerThanCapacity_HasNoRetryAfter()
    {
        var mesh = new CoreHarness(settings => settings with { Tasks = new TasksOptions { Capacity = 2 } });
        mesh.Submit(3);
        Assert.Equal([SubmitOutcome.TooMany], mesh.Answers);
    }

    [Fact]
    public void Submission_KnownKey_NeedsNoCapacity()
    {
        var mesh = new CoreHarness(settings => settings with { Tasks = new TasksOptions { Capacity = 1 } });
        mesh.Submit(1, id: "key");
        mesh.Submit(1, id: "key");
        Assert.Equal([SubmitOutcome.Accepted, SubmitOutcome.Accepted], mesh.Answers);
        Assert.Equal(1, mesh.Core.GetStatus().Queue);
    }

    [Fact]
    public void StoreFailure_WhileTasksAreWritten_IsAnsweredAsUnknown()
    {
        _mesh.HoldStore = true;
        _mesh.Submit(1);
        _mesh.FailStore();

        Assert.Equal([SubmitOutcome.Unknown], _mesh.Answers);
    }

    [Fact]
    public void StoreFailure_WhileIdle_RefusesSubmissionsAndKeepsTasks()
    {
        var task = _mesh.Submit(1)[0];
        var worker = _mesh.Ask("w1");
        _mesh.HoldStore = true;
        _mesh.Say(worker, Ok("w1", task));
        _mesh.Submit(2);
        _mesh.FailStore();

        Assert.Equal(SubmitOutcome.StoreUnavailable, _mesh.Answers[^1]);
        Assert.DoesNotContain(_mesh.To(worker), message => message is Ack);

        _mesh.Store();
        _mesh.Last<Ack>(worker);
        Assert.Equal((0, 1L), (_mesh.Core.GetStatus().Queue, _mesh.Core.GetStatus().Done));
        Assert.DoesNotContain(_mesh.Stored.Skip(1), op => op.Kind == StoreOpKind.AcceptTask);
    }

    [Fact]
    public void StoreFailure_DuringAcceptance_DropsPossibleWrites()
    {
        _mesh.HoldStore = true;
        _mesh.Submit(2);
        _mesh.FailStore();
        _mesh.Store();

        Assert.Equal([StoreOpKind.DropTask, StoreOpKind.DropTask], _mesh.Stored.Select(op => op.Kind));
    }

    [Fact]
    public void Restart_WithTasks_ContinuesThemInOrder()
    {
        TaskRecord Record(int n) => new($"t{n}", new TaskId($"t{n}"), TaskType.Query, "Maria", null, n) { Attempts = n };
        var mesh = new CoreHarness(stored: new StoredState { Tasks = [Record(2), Record(1)], Done = 5, Dead = 1 });
        var session = mesh.Ask("w1");
        mesh.Ask("w1", session);

        Assert.Equal(["t1", "t2"], mesh.To(session).OfType<NewTask>().Select(task => task.Id!.Value.Value));
        Assert.Equal((5L, 1L), (mesh.Core.GetStatus().Done, mesh.Core.GetStatus().Dead));
    }

    [Fact]
    public void RetryDeadLetter_SubmittedAgainMeanwhile_IsRetriedAfterThatIsStored()
    {
        _mesh.Know("order-1", Keyed("order-1", "w1"));
        _mesh.HoldStore = true;
        _mesh.Submit(new Submission([Keyed("order-1", "w2")]));
        _mesh.Submit(new Submission([Keyed("order-1", "w3")], isDeadLetterRetry: true));
        Assert.Empty(_mesh.Answers);

        _mesh.Store();

        Assert.Equal([SubmitOutcome.Accepted, SubmitOutcome.Accepted], _mesh.Answers);
        Assert.Equal("w3", Assert.Single(_mesh.Stored, op => op.Kind == StoreOpKind.RetryDeadLetter).Task!.WireId.Value);
        Assert.Equal(1, _mesh.Core.GetStatus().Queue);
    }

    [Fact]
    public void RetryDeadLetter_ItsDeathIsBeingStored_IsRetriedAfterThat()
    {
        var mesh = new CoreHarness(settings => settings with { Tasks = new TasksOptions { MaxAttempts = 1 } });
        var task = mesh.Submit(1)[0];
        var worker = mesh.Ask("w1");
        mesh.HoldStore = true;
        mesh.Say(worker, new TaskStatus(TaskOutcome.Nok, task.Type, new WorkerId("w1")) { Id = task.WireId, Error = "no" });

        mesh.Submit(new Submission([task with { WireId = new TaskId("again") }], isDeadLetterRetry: true));
        mesh.Store();

        Assert.Equal([SubmitOutcome.Accepted, SubmitOutcome.Accepted], mesh.Answers);
        Assert.Equal([StoreOpKind.AcceptTask, StoreOpKind.MoveTaskToDeadLetters, StoreOpKind.RetryDeadLetter], mesh.Stored.Select(op => op.Kind));
        Assert.Equal(0, mesh.Core.GetStatus().Dead);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void RetryDeadLetter_WriteBeforeItFails_IsRetriedOrRefused(bool isRolledBack)
    {
        _mesh.HoldStore = true;
        _mesh.Submit(new Submission([Keyed("order-1", "w2")]));
        _mesh.Submit(new Submission([Keyed("order-1", "w3")], isDeadLetterRetry: true));
        if (isRolledBack)
        {
            _mesh.RollBackStore(StoredState.Empty);
        }
        else
        {
            _mesh.FailStore();
            _mesh.Store();
        }

        Assert.Equal(isRolledBack ? [SubmitOutcome.StoreUnavailable, SubmitOutcome.StoreUnavailable] : [SubmitOutcome.Unknown, SubmitOutcome.Accepted], _mesh.Answers);
        Assert.Equal(isRolledBack ? 0 : 1, _mesh.Core.GetStatus().Queue);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Submit_DeadLettersWithLargerNumbersThanTheClock_IsBehindThem(bool isAdopted)
    {
        var last = new DateTimeOffset(2030, 1, 1, 0, 0, 0, TimeSpan.Zero).Ticks;
        var stored = new StoredState { LastDeadSequence = last };
        var mesh = new CoreHarness(stored: isAdopted ? null : stored);
        if (isAdopted)
        {
            mesh.Core.OnAdopted(CoreHarness.Peer, stored, mesh.Now);
        }

        mesh.Submit(2);

        Assert.Equal([last + 1, last + 2], mesh.Stored.Select(op => op.Task!.Sequence));
    }

    [Fact]
    public void Stopping_DispatchesAndAcceptsNoTask()
    {
        var task = _mesh.Submit(2)[0];
        var worker = _mesh.Ask("w1");
        _mesh.Stop();
        Assert.False(_mesh.Core.IsDrained);

        _mesh.Submit(1);
        Assert.Equal(SubmitOutcome.Stopping, _mesh.Answers[^1]);
        _mesh.Say(worker, Ok("w1", task));
        _mesh.Ask("w1", worker);
        Assert.Single(_mesh.To(worker).OfType<NewTask>());
        Assert.True(_mesh.Core.IsDrained);
    }

    private static TaskRecord Keyed(string id, string wireId) => new(id, new TaskId(wireId), TaskType.Query, "Maria", Amount: null, 0) { Keyed = true };

    private static TaskStatus Ok(string worker, TaskRecord task) =>
        new(TaskOutcome.Ok, task.Type, new WorkerId(worker)) { Id = task.WireId, Result = RawJson.Of(7m) };
}
