using System.Diagnostics;
using System.Globalization;
using HdrHistogram;

namespace Mesh.Bench.Load;

/// <summary>Records when each task of a run was posted, accepted, received by a worker and acknowledged. The number in the user name identifies the task.</summary>
internal sealed class TaskTimes(int tasks, string mark)
{
    private const long LongestMicroseconds = 3_600_000_000;
    private const int Digits = 3;

    private readonly long[] _posted = new long[tasks];
    private readonly long[] _accepted = new long[tasks];
    private readonly long[] _received = new long[tasks];
    private readonly long[] _acknowledged = new long[tasks];
    private readonly LongConcurrentHistogram _submits = new(1, LongestMicroseconds, Digits);
    private readonly LongConcurrentHistogram _refusals = new(1, LongestMicroseconds, Digits);
    private readonly TaskCompletionSource _all = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _acceptedCount;
    private int _receivedCount;
    private int _acknowledgedCount;

    public int Accepted => Volatile.Read(ref _acceptedCount);

    public int Received => Volatile.Read(ref _receivedCount);

    public int Acknowledged => Volatile.Read(ref _acknowledgedCount);

    /// <summary>Completes when every task is acknowledged.</summary>
    public Task All => _all.Task;

    public string UserOf(int task) => string.Create(CultureInfo.InvariantCulture, $"{mark}{task}");

    /// <summary>Returns the task of a user name, or null for a task that is not of this run.</summary>
    public int? TaskOf(string user) =>
        user.StartsWith(mark, StringComparison.Ordinal) && int.TryParse(user.AsSpan(mark.Length), NumberStyles.None, CultureInfo.InvariantCulture, out var task)
            ? task
            : null;

    public void SetAccepted(int first, int count, long posted, long accepted)
    {
        _submits.RecordValue(Microseconds(posted, accepted));
        _posted.AsSpan(first, count).Fill(posted);
        _accepted.AsSpan(first, count).Fill(accepted);
        Interlocked.Add(ref _acceptedCount, count);
    }

    /// <summary>Called when a POST is refused, because the queue of the server is full or its store is unavailable.</summary>
    public void SetRefused(long posted, long refused) => _refusals.RecordValue(Microseconds(posted, refused));

    /// <summary>Records that a worker has received a task. Returns false when a worker had received it before.</summary>
    public bool SetReceived(int task)
    {
        var first = Interlocked.CompareExchange(ref _received[task], Stopwatch.GetTimestamp(), 0) == 0;
        if (first)
        {
            Interlocked.Increment(ref _receivedCount);
        }

        return first;
    }

    public void SetAcknowledged(int task)
    {
        if (Interlocked.CompareExchange(ref _acknowledged[task], Stopwatch.GetTimestamp(), 0) == 0
            && Interlocked.Increment(ref _acknowledgedCount) == tasks)
        {
            _all.TrySetResult();
        }
    }

    /// <summary>The times from a POST to its acceptance and to its refusal, of the tasks from acceptance to a worker, and of the tasks from POST to ACK; in microseconds.</summary>
    public (HistogramBase Submit, HistogramBase Refusal, HistogramBase Queue, HistogramBase Task) Histograms()
    {
        var queue = new LongHistogram(LongestMicroseconds, Digits);
        var whole = new LongHistogram(LongestMicroseconds, Digits);
        for (var task = 0; task < tasks; task++)
        {
            if (_accepted[task] != 0 && _received[task] != 0)
            {
                // A worker can receive a task before its submitter receives the answer.
                queue.RecordValue(Microseconds(_accepted[task], _received[task]));
            }

            if (_posted[task] != 0 && _acknowledged[task] != 0)
            {
                whole.RecordValue(Microseconds(_posted[task], _acknowledged[task]));
            }
        }

        return (_submits, _refusals, queue, whole);
    }

    private static long Microseconds(long from, long to) =>
        Math.Clamp((long)Stopwatch.GetElapsedTime(from, Math.Max(from, to)).TotalMicroseconds, 0, LongestMicroseconds);
}
