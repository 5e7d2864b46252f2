using Mesh.Protocol;
using Mesh.Server.Core.Persistence;

namespace Mesh.Server.Core.Tasks;

/// <summary>
/// Accepts the tasks of THEN. They are stored in the write that settles the task that has submitted them, and queued when that write is stored
/// (docs/protocol.md, "Tasks of any type").
/// </summary>
internal sealed class FollowUps(CoreState core)
{
    /// <summary>The largest number of tasks in one THEN. The write's script passes all of them to Redis in one command.</summary>
    public const int MaxTasks = 1_000;

    /// <summary>The length of a THEN without tasks.</summary>
    private const int EmptyArrayLength = 2;

    private const int TraceIdStart = 3;
    private const int TraceIdEnd = 35;

    /// <summary>
    /// Adds the new tasks of a THEN to memory. The caller settles the task that has submitted them in the same batch. When one of the tasks cannot be accepted, none is added.
    /// </summary>
    /// <param name="parent">The task that submits them.</param>
    /// <param name="then">The value of THEN, or null.</param>
    /// <param name="statusTrace">The W3C trace context of the status, or null.</param>
    public FollowUpResult Add(TaskEntry parent, RawJson? then, string? statusTrace, DateTimeOffset now)
    {
        if (then is not { Length: > EmptyArrayLength } json)
        {
            return new([]);
        }

        var context = new TaskBodyContext(now, TraceOf(parent, statusTrace), core.Settings.Tasks.MaxPayloadBytes) { Parent = parent.Id };
        var (records, _, fault) = TaskBodyReader.Read(json.Utf8.Span, context);
        if (fault is { } wrong)
        {
            return new([], $"THEN{(wrong.Field is ['[', ..] ? wrong.Field : "")} {wrong.Detail}");
        }

        if (records.Count > MaxTasks)
        {
            return new([], $"THEN must not contain more than {MaxTasks} tasks");
        }

        var added = new List<TaskEntry>(records.Count);
        for (var i = 0; i < records.Count; i++)
        {
            var record = records[i] with { StoredBy = parent.Record.StoredBy };
            if (Find(record) is not { } known)
            {
                var task = new TaskEntry(record with { Sequence = core.Tasks.NextSequence(now) }) { IsFollowUp = true };
                core.Tasks.Add(task);
                added.Add(task);
            }
            else if (Check(record, known, i) is { Error: not null } refused)
            {
                added.ForEach(core.Tasks.Remove);
                return refused;
            }
        }

        return new(added);
    }

    /// <summary>Queues follow-ups. Called when their batch is stored.</summary>
    /// <param name="known">The tasks that the store did not add, as in <see cref="ServerCore.OnStored"/>.</param>
    public void OnStored(in StoreContinuation settled, IReadOnlyDictionary<string, TaskRecord?> known, TaskLifecycle tasks, DateTimeOffset now)
    {
        foreach (var task in settled.Tasks)
        {
            if (known.TryGetValue(task.Record.ExistingTaskKey, out var stored))
            {
                core.Tasks.Remove(task);
                task.Withdrawn = true;
                if (stored is not null && IsNamedByWorker(task.Record) && task.Record.DifferencesFrom(stored) is not TaskFields.None and var fields)
                {
                    core.Report(new FollowUpRefused(settled.Task!.Record, $"the id {task.Record.Id} belongs to a task with another {fields}"));
                }
            }
            else if (core.Tasks.Find(task.Id) == task)
            {
                tasks.Enqueue(task, now);
            }
        }
    }

    /// <summary>True for a follow-up whose id the worker chose. The fields of the others may differ when a handler runs again, and the tasks that were accepted first stay.</summary>
    private static bool IsNamedByWorker(TaskRecord task) => task.Id != task.WireId.Value;

    /// <summary>Compares a follow-up with the task in memory that has the same id.</summary>
    private static FollowUpResult Check(TaskRecord record, TaskEntry known, int index)
    {
        if (IsNamedByWorker(record) && record.DifferencesFrom(known.Record) is not TaskFields.None and var fields)
        {
            return new([], $"THEN[{index}].id belongs to a task with another {fields}");
        }

        // A task that is being stored for a client is removed when its submission is refused.
        return known.Step == TaskStep.Storing && !(known.IsFollowUp && known.Record.StoredBy == record.StoredBy)
            ? new([], $"THEN[{index}].id belongs to a task that is not stored yet", IsBusy: true)
            : new([]);
    }

    /// <summary>Returns the context of the status if it belongs to the trace of the task, else the context of the task.</summary>
    private static string? TraceOf(TaskEntry parent, string? statusTrace) =>
        parent.Record.TraceParent is { Length: > TraceIdEnd } own && statusTrace is { Length: > TraceIdEnd }
        && own.AsSpan(TraceIdStart..TraceIdEnd).SequenceEqual(statusTrace.AsSpan(TraceIdStart..TraceIdEnd))
            ? statusTrace
            : parent.Record.TraceParent;

    private TaskEntry? Find(TaskRecord task) => core.Tasks.Find(task.WireId) ?? core.Tasks.Find(task.Id, task.StoredBy)
        ?? (IsNamedByWorker(task) ? core.Adoptions.Keys.Select(server => core.Tasks.Find(task.Id, server)).FirstOrDefault(known => known is not null) : null);
}

/// <summary>The new tasks of a THEN, or the reason why none of its tasks is accepted.</summary>
/// <param name="Error">The error, which starts with the name of the field, or null.</param>
/// <param name="IsBusy">True when the same THEN can be accepted later.</param>
internal readonly record struct FollowUpResult(IReadOnlyList<TaskEntry> Tasks, string? Error = null, bool IsBusy = false);
