using System.Collections.Concurrent;
using System.Threading.Channels;
using Mesh.Protocol;
using Mesh.Server.Core;

namespace Mesh.Server.Hosting;

/// <summary>
/// The way to the loop. Bounded: when the loop falls behind, whoever posts waits, and through it the peer.
/// Once the loop has ended, posting answers false and is otherwise harmless.
/// </summary>
internal sealed class MeshInbox
{
    /// <summary>Inputs that may wait for the loop.</summary>
    public const int Capacity = 8192;

    private readonly Channel<LoopItem> _items = Channel.CreateBounded<LoopItem>(
        new BoundedChannelOptions(Capacity) { SingleReader = true, AllowSynchronousContinuations = false });

    /// <summary>Submissions that have not been answered, in whatever hands.</summary>
    private readonly ConcurrentDictionary<PendingSubmission, bool> _unanswered = [];

    private readonly TaskCompletionSource _opened = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private volatile bool _open;

    public ChannelReader<LoopItem> Reader => _items.Reader;

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
            (item.Subject as PendingSubmission)?.Answer(SubmitOutcome.Stopping);
            (item.Subject as CoreRead)?.Cancel();
            (item.Subject as CoreCommand)?.Cancel();
        }

        // What the loop had taken: its write may be under way.
        foreach (var submission in _unanswered.Keys)
        {
            submission.Answer(SubmitOutcome.Unknown);
        }
    }

    public ValueTask<bool> MessageAsync(SessionId session, Framing framing, MeshMessage message) =>
        PostAsync(new(LoopInput.Message) { Session = session, Framing = framing, Subject = message });

    public ValueTask<bool> SessionClosedAsync(SessionId session, SessionEnd end) =>
        PostAsync(new(LoopInput.SessionClosed) { Session = session, End = end });

    public ValueTask<bool> PeerReplyAsync(ServerId peer, MeshMessage reply) =>
        PostAsync(new(LoopInput.PeerReply) { Id = peer.Value, Subject = reply });

    public ValueTask<bool> PeerFailedAsync(ServerId peer, MeshMessage request, string reason) =>
        PostAsync(new(LoopInput.PeerFailed) { Id = peer.Value, Subject = request, Detail = reason });

    public ValueTask<bool> PeerFramingAsync(ServerId peer, Framing framing) =>
        PostAsync(new(LoopInput.PeerFraming) { Id = peer.Value, Framing = framing });

    /// <summary>Submits tasks, or a retry of dead letters. <see cref="SubmitOutcome.StorageAway"/> before the stored state is loaded.</summary>
    public Task<SubmitOutcome> SubmitAsync(IReadOnlyList<TaskRecord> tasks, bool revive = false) => SubmitAsync(new PendingSubmission(tasks, revive));

    public async Task<SubmitOutcome> SubmitAsync(PendingSubmission submission)
    {
        if (!_open)
        {
            return _items.Reader.Completion.IsCompleted ? SubmitOutcome.Stopping : SubmitOutcome.StorageAway;
        }

        _unanswered[submission] = true;
        try
        {
            return await PostAsync(new(LoopInput.Submit) { Subject = submission }) ? await submission.Outcome : SubmitOutcome.Stopping;
        }
        finally
        {
            _unanswered.TryRemove(submission, out _);
        }
    }

    /// <summary>Looks at the core from inside the loop.</summary>
    /// <exception cref="LoopEndedException">The loop has ended.</exception>
    public async Task<T> ReadAsync<T>(Func<ServerCore, T> read)
    {
        var item = new CoreRead<T>(read);
        return await PostAsync(new(LoopInput.Read) { Subject = item }) ? await item.Result : throw new LoopEndedException();
    }

    /// <summary>Gives the core an operator's command, and returns what it answers.</summary>
    /// <exception cref="LoopEndedException">The loop has ended.</exception>
    public async Task<T> CommandAsync<T>(Func<ServerCore, DateTimeOffset, T> command)
    {
        var item = new CoreCommand<T>(command);
        return await PostAsync(new(LoopInput.Command) { Subject = item }) ? await item.Result : throw new LoopEndedException();
    }

    public async ValueTask<bool> PostAsync(LoopItem item)
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
    public void CheckStore() => _items.Writer.TryWrite(new(LoopInput.CheckStore));

    /// <summary>Makes the loop look at its timer. A full inbox needs no wake-up.</summary>
    public void Wake() => _items.Writer.TryWrite(new(LoopInput.Wake));
}
