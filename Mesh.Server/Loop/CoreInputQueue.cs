using System.Collections.Concurrent;
using System.Threading.Channels;
using Mesh.Protocol;
using Mesh.Server.Core;
using Mesh.Server.Core.Peers;
using Mesh.Server.Core.Tasks;

namespace Mesh.Server.Loop;

/// <summary>
/// The bounded queue of the loop's inputs. When it is full, posting waits. A connection that waits reads no more messages, which slows its peer.
/// After the loop has ended, posting returns false.
/// </summary>
internal sealed class CoreInputQueue
{
    /// <summary>The maximum number of inputs in the queue.</summary>
    public const int Capacity = 8192;

    private readonly Channel<LoopInput> _items = Channel.CreateBounded<LoopInput>(
        new BoundedChannelOptions(Capacity) { SingleReader = true, AllowSynchronousContinuations = false });

    /// <summary>All submissions without an outcome, in the queue or in the core.</summary>
    private readonly ConcurrentDictionary<PendingSubmission, bool> _unanswered = [];

    /// <summary>All requests to cancel without an outcome, in the queue or in the core.</summary>
    private readonly ConcurrentDictionary<PendingCancel, bool> _unansweredCancels = [];

    private readonly TaskCompletionSource _opened = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private volatile bool _open;

    public ChannelReader<LoopInput> Reader => _items.Reader;

    /// <summary>True when the stored state is loaded and the loop has not ended.</summary>
    public bool IsOpen => _open;

    /// <summary>Completes when <see cref="Open"/> is called. Never completes when the server ends before that.</summary>
    public Task Opened => _opened.Task;

    public void Open()
    {
        _open = true;
        _opened.TrySetResult();
    }

    /// <summary>Called when the loop has ended. Completes all submissions, queries and commands that still wait.</summary>
    public void Close()
    {
        _open = false;
        _items.Writer.TryComplete();
        while (_items.Reader.TryRead(out var item))
        {
            (item.Subject as PendingSubmission)?.Complete(SubmitOutcome.Stopping);
            (item.Subject as PendingCancel)?.Complete(CancelOutcome.Stopping);
            (item.Subject as CoreQuery)?.Cancel();
            (item.Subject as CoreCommand)?.Cancel();
        }

        // The loop had already taken these submissions. Their write may be in progress.
        foreach (var submission in _unanswered.Keys)
        {
            submission.Complete(SubmitOutcome.Unknown);
        }

        foreach (var cancel in _unansweredCancels.Keys)
        {
            cancel.Complete(CancelOutcome.Unknown);
        }
    }

    /// <summary>
    /// Waits for a part of the server that works beside the loop. A part ends with the loop; when it ends otherwise, its lease is lost or there is a bug, and its exception ends the
    /// loop. It is posted at once: Task.WhenAll would report it only after the other parts have ended.
    /// </summary>
    public async Task WatchAsync(Task part, CancellationToken cancellationToken)
    {
        try
        {
            await part;
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            // The loop has ended, or the part was stopped.
        }
#pragma warning disable CA1031 // Any other exception ends the loop.
        catch (Exception exception)
#pragma warning restore CA1031
        {
            await PostAsync(new(LoopInputKind.Faulted) { Subject = exception });
        }
    }

    public ValueTask<bool> MessageAsync(SessionId session, Framing framing, MeshMessage message) =>
        PostAsync(new(LoopInputKind.Message) { Session = session, Framing = framing, Subject = message });

    public ValueTask<bool> SessionClosedAsync(SessionId session, SessionEnd end) =>
        PostAsync(new(LoopInputKind.SessionClosed) { Session = session, End = end });

    public ValueTask<bool> PeerReplyAsync(ServerId peer, PeerLinkId link, MeshMessage reply) =>
        PostAsync(new(LoopInputKind.PeerReply) { Id = peer.Value, Link = link, Subject = reply });

    public ValueTask<bool> PeerFailedAsync(ServerId peer, PeerLinkId link, MeshMessage request, string reason) =>
        PostAsync(new(LoopInputKind.PeerFailed) { Id = peer.Value, Link = link, Subject = request, Detail = reason });

    public ValueTask<bool> PeerFramingAsync(ServerId peer, PeerLinkId link, Framing framing) =>
        PostAsync(new(LoopInputKind.PeerFraming) { Id = peer.Value, Link = link, Framing = framing });

    /// <summary>Replaces the set of peers.</summary>
    public ValueTask<bool> PeersChangedAsync(IReadOnlyList<PeerSettings> peers) => PostAsync(new(LoopInputKind.PeersChanged) { Subject = peers });

    /// <summary>Submits tasks, or a retry of dead letters. Returns <see cref="SubmitOutcome.StoreUnavailable"/> before the stored state is loaded.</summary>
    public Task<SubmitOutcome> SubmitAsync(IReadOnlyList<TaskRecord> tasks, bool isDeadLetterRetry = false) => SubmitAsync(new PendingSubmission(tasks, isDeadLetterRetry));

    public async Task<SubmitOutcome> SubmitAsync(PendingSubmission submission)
    {
        if (!_open)
        {
            return _items.Reader.Completion.IsCompleted ? SubmitOutcome.Stopping : SubmitOutcome.StoreUnavailable;
        }

        _unanswered[submission] = true;
        try
        {
            return await PostAsync(new(LoopInputKind.Submit) { Subject = submission }) ? await submission.Outcome : SubmitOutcome.Stopping;
        }
        finally
        {
            _unanswered.TryRemove(submission, out _);
        }
    }

    /// <summary>Cancels a task. Returns <see cref="CancelOutcome.StoreUnavailable"/> before the stored state is loaded.</summary>
    public async Task<CancelOutcome> CancelAsync(PendingCancel cancel)
    {
        if (!_open)
        {
            return _items.Reader.Completion.IsCompleted ? CancelOutcome.Stopping : CancelOutcome.StoreUnavailable;
        }

        _unansweredCancels[cancel] = true;
        try
        {
            return await PostAsync(new(LoopInputKind.Cancel) { Subject = cancel }) ? await cancel.Outcome : CancelOutcome.Stopping;
        }
        finally
        {
            _unansweredCancels.TryRemove(cancel, out _);
        }
    }

    /// <summary>Reads the core's state inside the loop.</summary>
    /// <exception cref="LoopStoppedException">The loop has ended.</exception>
    public async Task<T> QueryAsync<T>(Func<ServerCore, T> read)
    {
        var item = new CoreQuery<T>(read);
        return await PostAsync(new(LoopInputKind.Read) { Subject = item }) ? await item.Result : throw new LoopStoppedException();
    }

    /// <summary>Applies an operator's command to the core, and returns its result.</summary>
    /// <exception cref="LoopStoppedException">The loop has ended.</exception>
    public async Task<T> CommandAsync<T>(Func<ServerCore, DateTimeOffset, T> command)
    {
        var item = new CoreCommand<T>(command);
        return await PostAsync(new(LoopInputKind.Command) { Subject = item }) ? await item.Result : throw new LoopStoppedException();
    }

    public async ValueTask<bool> PostAsync(LoopInput item)
    {
        while (!_items.Writer.TryWrite(item))
        {
            if (!await _items.Writer.WaitToWriteAsync())
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>Requests a write even if there are no changes, so that the loop finds out whether the store was rolled back. A full queue leads to a write in any case.</summary>
    public void CheckStore() => _items.Writer.TryWrite(new(LoopInputKind.CheckStore));

    /// <summary>Wakes the loop, so that it checks its timer. A full queue needs no wake-up.</summary>
    public void Wake() => _items.Writer.TryWrite(new(LoopInputKind.Wake));
}

/// <summary>A submission whose caller waits for the outcome.</summary>
internal sealed class PendingSubmission(IReadOnlyList<TaskRecord> tasks, bool isDeadLetterRetry) : Submission(tasks, isDeadLetterRetry)
{
    private readonly TaskCompletionSource<SubmitOutcome> _outcome = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public Task<SubmitOutcome> Outcome => _outcome.Task;

    public void Complete(SubmitOutcome outcome) => _outcome.TrySetResult(outcome);
}

/// <summary>A request to cancel whose caller waits for the outcome.</summary>
internal sealed class PendingCancel(string id) : CancelRequest(id)
{
    private readonly TaskCompletionSource<CancelOutcome> _outcome = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public Task<CancelOutcome> Outcome => _outcome.Task;

    public void Complete(CancelOutcome outcome) => _outcome.TrySetResult(outcome);
}
