using Mesh.Protocol;
using Mesh.Tests.Fixtures;
using MeshAspire.Worker;
using MeshAspire.Worker.Core;
using static MeshAspire.Worker.Core.WorkerEffect;

namespace Mesh.Tests.Worker.Core;

/// <summary>A <see cref="WorkerCore"/> with a clock that the test advances. It keeps the effects of the last input.</summary>
internal sealed class WorkerCoreDriver
{
    public static readonly WorkerId Me = new("WORKER_1");
    public static readonly ServerId HomeServer = new("SERVER_1");
    public static readonly MeshEndpoint BorrowerAt = new("10.0.0.2", 9002);

    public static readonly MeshWorkerSettings Options = CreateOptions();

    private readonly WorkerCore _core;

    public WorkerCoreDriver(MeshWorkerSettings? options = null, TaskTypeSet? handles = null) => _core = new(options ?? Options, handles ?? AccountTypes.All, new Random(7));

    /// <summary>Creates the settings of <see cref="Me"/> with other values.</summary>
    public static MeshWorkerSettings CreateOptions(int concurrency = 1, WorkerTransport transport = WorkerTransport.WebSocket, params string[] allowedBorrowers) => new()
    {
        WorkerId = Me.Value,
        HomeServer = new() { Id = HomeServer.Value },
        Concurrency = concurrency,
        Transport = transport,
        Redirect = new() { Allowed = [.. allowedBorrowers] },
    };

    public TimeSpan Now { get; private set; } = TimeSpan.FromHours(1);

    public TimeSpan? WakeAt => _core.WakeAt;

    /// <summary>The number of the newest link.</summary>
    public int Link { get; private set; }

    /// <summary>The key of the newest attempt.</summary>
    public int Attempt { get; private set; }

    /// <summary>The effects of the last input.</summary>
    public List<WorkerEffect> Effects { get; private set; } = [];

    public IEnumerable<MeshMessage> Sent => Effects.OfType<Send>().Select(send => send.Message);

    /// <summary>The RUNNING of the last input.</summary>
    public IEnumerable<SendRunning> Running => Effects.OfType<SendRunning>();

    public IEnumerable<WorkerEvent> Reported => Effects.OfType<Report>().Select(tell => tell.Event);

    public ServerTarget? Dialled => Effects.OfType<Dial>().SingleOrDefault()?.ServerTarget;

    /// <summary>Creates a worker that is connected to its home and has sent its first get_task.</summary>
    public static WorkerCoreDriver AtHome(MeshWorkerSettings? options = null, TaskTypeSet? handles = null)
    {
        var rig = new WorkerCoreDriver(options, handles);
        rig.Feed(new WorkerInput.Start());
        rig.Connect();
        return rig;
    }

    /// <summary>Creates a worker that is connected to a borrower and has sent its first get_task.</summary>
    public static WorkerCoreDriver Away(MeshWorkerSettings? options = null)
    {
        var rig = AtHome(options);
        rig.Receive(new Redirect(BorrowerAt)).Leave().Connect();
        return rig;
    }

    public WorkerCoreDriver Feed(WorkerInput input)
    {
        Effects = [.. _core.Step(input, Now)];
        foreach (var effect in Effects)
        {
            switch (effect)
            {
                case Dial dial:
                    Link = dial.Link;
                    break;
                case RunAttempt run:
                    Attempt = run.Attempt;
                    break;
            }
        }

        return this;
    }

    public WorkerCoreDriver Connect() => Feed(new WorkerInput.Connected(Link));

    public WorkerCoreDriver End() => Feed(new WorkerInput.Disconnected(Link, "closed"));

    /// <summary>Ends the link that the worker has left, if it waits for that before it dials the next server.</summary>
    public WorkerCoreDriver Leave() => Dialled is null ? End() : this;

    public WorkerCoreDriver FailDial(bool speaksLines = false) => Feed(new WorkerInput.DialFailed(Link, speaksLines, "refused"));

    public WorkerCoreDriver Receive(MeshMessage message) => Feed(new WorkerInput.Received(Link, message));

    public WorkerCoreDriver Finish(int? attempt = null) => Feed(new WorkerInput.AttemptEnded(attempt ?? Attempt, new(TaskOutcome.Ok, RawJson.Of(5), null, null)));

    public WorkerCoreDriver FinishCancelled(int? attempt = null) =>
        Feed(new WorkerInput.AttemptEnded(attempt ?? Attempt, new(TaskOutcome.Nok, null, "cancelled", null)));

    public WorkerCoreDriver Pass(TimeSpan time)
    {
        Now += time;
        return this;
    }

    /// <summary>Advances the time to <see cref="WakeAt"/>, and calls the timer.</summary>
    public WorkerCoreDriver Wake()
    {
        Assert.NotNull(WakeAt);
        Assert.True(WakeAt >= Now, $"asked to be woken at {WakeAt}, it is {Now}");
        Now = WakeAt.Value;
        return Feed(new WorkerInput.TimerElapsed());
    }

    public static NewTask Query(string id = "t1") => new(TaskType.Query, "maria") { Id = new TaskId(id) };

    public static Ack AckOf(string id) => new() { Id = new TaskId(id) };
}
