using Mesh.Simulation.Time;

namespace Mesh.Tests.Simulation;

/// <summary>What a process awaits runs on the scheduler, in the process's own time, and only while the process runs.</summary>
public sealed class SimContextTests
{
    private static readonly TimeSpan Delay = TimeSpan.FromSeconds(10);

    private readonly Scheduler _scheduler = new();
    private readonly SimContext _context;
    private readonly List<TimeSpan> _ran = [];
    private int _runs;

    public SimContextTests() => _context = new(_scheduler, () => _runs++);

    [Fact]
    public void Delay_OnAFastClock_EndsEarlier()
    {
        BeginDelay(rate: 1.25);

        _scheduler.RunUntil(Delay);

        Assert.Equal(8, Assert.Single(_ran).TotalSeconds, tolerance: 0.001);
        Assert.True(_runs >= 2, "The start and the continuation run in the context.");
    }

    [Fact]
    public void Delay_OfAnEndedProcess_DoesNotContinue()
    {
        BeginDelay();
        _scheduler.RunUntil(Delay / 2);

        _context.End();
        _scheduler.RunUntil(Delay * 2);

        Assert.Empty(_ran);
    }

    [Fact]
    public void Delay_OfAHeldProcess_ContinuesWhenItIsReleased()
    {
        BeginDelay();
        _context.Hold();
        _scheduler.RunUntil(Delay * 2);
        Assert.Empty(_ran);

        _context.Release();
        _scheduler.RunUntil(Delay * 2);

        Assert.Equal(Delay * 2, Assert.Single(_ran));
    }

    [Fact]
    public void Post_FromAnotherThread_IsRefusedUnlessTheProcessHasEnded()
    {
        Assert.IsType<InvalidOperationException>(PostFromAnotherThread());
        _context.End();
        Assert.Null(PostFromAnotherThread());
    }

    private Exception? PostFromAnotherThread()
    {
        Exception? thrown = null;
        var thread = new Thread(() => thrown = Record.Exception(() => _context.Post(_ => { }, null)));
        thread.Start();
        thread.Join();
        return thrown;
    }

    private void BeginDelay(double rate = 1)
    {
        var time = new SimTimeProvider(_scheduler, new NodeClock(_scheduler, TimeSpan.FromHours(1), rate), _context);
        var running = Task.CompletedTask;
        _context.Run(() => running = DelayAsync(time));
        Assert.False(running.IsCompleted);
    }

    private async Task DelayAsync(TimeProvider time)
    {
        await Task.Delay(Delay, time, CancellationToken.None);
        _ran.Add(_scheduler.Now);
    }
}
