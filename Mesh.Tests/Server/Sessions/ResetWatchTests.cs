using Mesh.Server.Sessions;
using Mesh.Tests.Fixtures;

namespace Mesh.Tests.Server.Sessions;

public sealed class ResetWatchTests
{
    private static readonly int[] Delays = [5, 15, 30, 50, 150, 250, 500];

    private readonly TimerTrackingTimeProvider _time = new();
    private readonly TaskCompletionSource _closed = new();
    private readonly ResetDetector _watch;
    private bool _isReset;
    private int _checks;

    public ResetWatchTests() => _watch = new ResetDetector(IsReset, _closed.Task, _time);

    [Fact]
    public async Task WasReset_NoTaskSent_IsFalseWithoutACheck()
    {
        Assert.False(await _watch.WasResetAsync());
        Assert.Equal(0, _checks);
    }

    [Fact]
    public async Task WasReset_ResetSeenAtTheLastCheck_IsTrue()
    {
        _watch.OnTaskSent(inputEnded: true);

        Assert.True(await WaitAsync(Delays, resetBefore: Delays.Length - 1));
        Assert.Equal(Delays.Length, _checks);
    }

    [Fact]
    public async Task WasReset_NoResetWithinASecond_IsFalse()
    {
        _watch.OnTaskSent(inputEnded: true);

        Assert.False(await WaitAsync(Delays));
        Assert.Equal(Delays.Length, _checks);
    }

    [Fact]
    public async Task WasReset_TaskSentBeforeThePeersEnd_IsCheckedThreeTimes()
    {
        _watch.OnTaskSent(inputEnded: false);

        Assert.False(await WaitAsync(Delays[..3]));
        Assert.Equal(3, _checks);
    }

    [Fact]
    public async Task WasReset_ConnectionClosed_EndsTheChecks()
    {
        _watch.OnTaskSent(inputEnded: true);
        var result = _watch.WasResetAsync();

        _closed.SetResult();

        Assert.False(await result.OrFailAsync("the end of the checks"));
        Assert.Equal(1, _checks);
    }

    /// <summary>Lets the given delays pass, one after the other. The connection is reset during the one of the given index.</summary>
    private async Task<bool> WaitAsync(int[] delays, int? resetBefore = null)
    {
        Task[] waiting = [.. delays.Select(delay => _time.NextTimerAsync(TimeSpan.FromMilliseconds(delay)))];
        var result = _watch.WasResetAsync();
        for (var i = 0; i < delays.Length; i++)
        {
            await waiting[i];
            Assert.Equal(i, _checks);
            Assert.False(result.IsCompleted);
            _isReset = i == resetBefore;
            _time.Advance(TimeSpan.FromMilliseconds(delays[i]));
        }

        return await result.OrFailAsync("the end of the checks");
    }

    private bool IsReset()
    {
        _checks++;
        return _isReset;
    }
}
