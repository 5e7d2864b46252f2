using System.Collections.Concurrent;
using System.Threading.Channels;
using Mesh.Protocol;
using Mesh.Server.Core;
using Mesh.Server.Core.Tasks;

namespace Mesh.Server.Loop;

/// <summary>
/// The way to the loop. Bounded: when the loop falls behind, whoever posts waits, and through it the peer.
/// Once the loop has ended, posting answers false and is otherwise harmless.
/// </summary>
internal sealed class CoreInputQueue
{
    /// <summary>Inputs that may wait for the loop.</summary>
    public const int Capacity = 8192;

    private readonly Channel<LoopInput> _items = Channel.CreateBounded<LoopInput>(
        new BoundedChannelOptions(Capacity) { SingleReader = true, AllowSynchronousContinuations = false });

    /// <summary>Submissions that have not been answered, in whatever hands.</summary>
    private readonly ConcurrentDictionary<PendingSubmission, bool> _unanswered = [];

    private readonly TaskCompletionSource _opened = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private volatile bool _open;

    public ChannelReader<LoopInput> Reader => _items.Reader;

    /// <summary>True while there is a core to answer: the stored state is loaded and the loop has not ended.</summary>
    public bool IsOpen => _open;

    /// <summary>Done once it has been open; never, when the server ends before.</summary>
    public Task Opened => _opened.Task;

    public void Open()
    {
        _open = true;
        _opened.TrySetResult();
    }

    /// <summary>The loop's last act: whoever still waits for an answer is told.</summary>
    public void Close()
    {
        _open = false;
        _items.Writer.TryComplete();
        while (_items.Reader.TryRead(out var item))
        {
            (item.Subject as PendingSubmission)?.Complete(SubmitOutcome.Stopping);
            (item.Subject as CoreQuery)?.Cancel();
            (item.Subject as CoreCommand)?.Cancel();
        }

        // What the loop had taken: its write may be under way.
        foreach (var submission in _unanswered.Keys)
        {
            submission.Complete(SubmitOutcome.Unknown);
        }
    }

    public ValueTask<bool> MessageAsync(SessionId session, Framing framing, MeshMessage message) =>
        PostAsync(new(LoopInputKind.Message) { Session = session, Framing = framing, Subject = message });

    public ValueTask<bool> SessionClosedAsync(SessionId session, SessionEnd end) =>
        PostAsync(new(LoopInputKind.SessionClosed) { Session = session, End = end });

    public ValueTask<bool> PeerReplyAsync(ServerId peer, MeshMessage reply) =>
        PostAsync(new(LoopInputKind.PeerReply) { Id = peer.Value, Subject = reply });

    public ValueTask<bool> PeerFailedAsync(ServerId peer, MeshMessage request, string reason) =>
        PostAsync(new(LoopInputKind.PeerFailed) { Id = peer.Value, Subject = request, Detail = reason });

    public ValueTask<bool> PeerFramingAsync(ServerId peer, Framing framing) =>
        PostAsync(new(LoopInputKind.PeerFraming) { Id = peer.Value, Framing = framing });

    /// <summary>Submits tasks, or a retry of dead letters. <see cref="SubmitOutcome.StoreUnavailable"/> before the stored state is loaded.</summary>
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

    /// <summary>Looks at the core from inside the loop.</summary>
    /// <exception cref="LoopStoppedException">The loop has ended.</exception>
    public async Task<T> QueryAsync<T>(Func<ServerCore, T> read)
    {
        var item = new CoreQuery<T>(read);
        return await PostAsync(new(LoopInputKind.Read) { Subject = item }) ? await item.Result : throw new LoopStoppedException();
    }

    /// <summary>Gives the core an operator's command, and returns what it answers.</summary>
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

    /// <summary>Makes the loop write, even if it is nothing, and so find what the store has lost. A full inbox has it write in any case.</summary>
    public void CheckStore() => _items.Writer.TryWrite(new(LoopInputKind.CheckStore));

    /// <summary>Makes the loop look at its timer. A full inbox needs no wake-up.</summary>
    public void Wake() => _items.Writer.TryWrite(new(LoopInputKind.Wake));
}

/// <summary>A submission whose answer is awaited.</summary>
internal sealed class PendingSubmission(IReadOnlyList<TaskRecord> tasks, bool isDeadLetterRetry) : Submission(tasks, isDeadLetterRetry)
{
    private readonly TaskCompletionSource<SubmitOutcome> _outcome = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public Task<SubmitOutcome> Outcome => _outcome.Task;

    public void Complete(SubmitOutcome outcome) => _outcome.TrySetResult(outcome);
}
