using System.Buffers;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Mesh.Server.Core.Loans;
using Mesh.Server.Core.Persistence;
using Mesh.Server.Core.Schedules;
using Mesh.Server.Core.Tasks;
using StackExchange.Redis;

namespace Mesh.Server.Storage;

/// <summary>The keys and arguments of one call of <see cref="RedisScripts.Write"/>.</summary>
internal sealed class WriteArguments
{
    private const int FirstChange = 5;

    private readonly RedisKeys _keys;
    private readonly ArrayBufferWriter<byte> _records;
    private readonly List<RedisKey> _scriptKeys;
    private readonly RedisValue[] _values;

    /// <summary>The end of the record of each change in <see cref="_records"/>. It is that of the change before it when the change has none.</summary>
    private readonly int[] _ends;

    private int _changes;

    /// <param name="records">An empty buffer for the records. <see cref="ToValues"/> returns parts of it.</param>
    /// <param name="ops">The changes, in order.</param>
    public WriteArguments(RedisKeys keys, HeldServerLease lease, long number, TimeSpan resultRetention, bool probe, ArrayBufferWriter<byte> records, ReadOnlySpan<StoreOp> ops)
    {
        (_keys, _records) = (keys, records);
        var changes = 0;
        foreach (ref readonly var op in ops)
        {
            changes += CountChanges(op);
        }

        _scriptKeys = new(8 + changes) { keys.Tasks, keys.Ids, keys.Dead, keys.Loans, keys.Done, keys.FencingToken, keys.LastWriteNumber, keys.DeadIndex };
        _ends = new int[changes];
        _values = new RedisValue[FirstChange + (changes * RedisScripts.ArgumentsPerOp)];
        _values[0] = Math.Max(1, (long)resultRetention.TotalSeconds);
        _values[1] = lease.FencingToken;
        _values[2] = probe ? RedisScripts.Probe : RedisValue.EmptyString;
        _values[3] = lease.LastWriteNumber;
        _values[4] = number;
        using var json = new Utf8JsonWriter(records, new JsonWriterOptions { MaxDepth = StoreJson.Default.Options.MaxDepth, SkipValidation = true });
        foreach (ref readonly var op in ops)
        {
            Add(op, json);
        }
    }

    public RedisKey[] Keys => [.. _scriptKeys];

    /// <summary>The number of changes in the script for one change of the core.</summary>
    public static int CountChanges(in StoreOp op) => op.Kind switch
    {
        StoreOpKind.SettleTask => 1 + (op.Then?.Count ?? 0),
        StoreOpKind.MoveTaskToDeadLetters => 2,
        StoreOpKind.PutSchedule => op.Task is null ? 1 : 2,
        _ => 1,
    };

    /// <summary>Returns the arguments. They refer to the buffer for the records, which must not change until Redis has answered.</summary>
    public RedisValue[] ToValues()
    {
        // The buffer moves while it grows, so the records are taken at the end.
        var (records, start) = (_records.WrittenMemory, 0);
        for (var i = 0; i < _ends.Length; i++)
        {
            _values[FirstChange + (i * RedisScripts.ArgumentsPerOp) + 3] = _ends[i] > start ? records[start.._ends[i]] : RedisValue.EmptyString;
            start = _ends[i];
        }

        return _values;
    }

    private void Add(in StoreOp op, Utf8JsonWriter json)
    {
        switch (op.Kind)
        {
            case StoreOpKind.AcceptTask when op.Task!.Keyed:
                _scriptKeys.Add(_keys.Result(op.Task.Id));
                Add(RedisScripts.AcceptKeyed, op.Task, json);
                break;
            case StoreOpKind.AcceptTask:
                Add(RedisScripts.Accept, op.Task!, json);
                break;
            case StoreOpKind.UpdateTask:
                Add(RedisScripts.Update, op.Task!, json);
                break;
            case StoreOpKind.SettleTask:
                foreach (var task in op.Then ?? [])
                {
                    _scriptKeys.Add(_keys.Result(task.Id));
                    Add(RedisScripts.Then, task, json);
                }

                _scriptKeys.Add(_keys.Result(op.Task!.Id));
                Add(RedisScripts.Settle, op.Task, json);
                break;
            case StoreOpKind.MoveTaskToDeadLetters:
                Add(RedisScripts.MoveToDeadLetters, op.Task!, json);
                AddChange(RedisScripts.IndexDeadLetter, op.Task!.Sequence, op.Task.Id);
                break;
            case StoreOpKind.RetryDeadLetter:
                Add(RedisScripts.RetryDeadLetter, op.Task!, json);
                break;
            case StoreOpKind.DropTask:
                Add(RedisScripts.Drop, op.Task!, json: null);
                break;
            case StoreOpKind.RestoreTask:
                _scriptKeys.Add(_keys.Result(op.Task!.Id));
                Add(RedisScripts.Restore, op.Task, json);
                break;
            case StoreOpKind.CancelTask:
                _scriptKeys.Add(_keys.Result(op.Task!.Id));
                Add(RedisScripts.Cancel, op.Task, json);
                break;
            case StoreOpKind.DeleteDeadLetter:
                _records.Write(BeginningOf(op.Task!));
                AddChange(RedisScripts.DeleteDeadLetter, op.Task!.WireId.Value, op.Task.Id);
                break;
            case StoreOpKind.PutLoan:
                Add(RedisScripts.PutLoan, op.Loan!, json);
                break;
            case StoreOpKind.DropLoan:
                Add(RedisScripts.DropLoan, op.Loan!, json: null);
                break;
            case StoreOpKind.PutSchedule:
                if (op.Task is { } fired)
                {
                    _scriptKeys.Add(_keys.Result(fired.Id));
                    Add(RedisScripts.AcceptKeyed, fired, json);
                }

                Add(RedisScripts.PutSchedule, op.Schedule!, json);
                break;
            case StoreOpKind.DropSchedule:
                Add(RedisScripts.DropSchedule, op.Schedule!, json: null);
                break;
            default:
                throw new InvalidOperationException($"Unknown change {op.Kind}.");
        }
    }

    /// <summary>Returns the beginning of a stored record up to its wire id. The first two properties of a record are the ids.</summary>
    private static byte[] BeginningOf(TaskRecord task)
    {
        var record = JsonSerializer.SerializeToUtf8Bytes(task, StoreJson.Default.TaskRecord);
        return record[..record.AsSpan().IndexOf(",\"type\":"u8)];
    }

    private void Add(string name, TaskRecord task, Utf8JsonWriter? json)
    {
        Write(task, StoreJson.Default.TaskRecord, json);
        AddChange(name, task.WireId.Value, task.Id);
    }

    private void Add(string name, LoanRecord loan, Utf8JsonWriter? json)
    {
        Write(loan, StoreJson.Default.LoanRecord, json);
        AddChange(name, loan.Worker.Value, RedisValue.EmptyString);
    }

    private void Add(string name, ScheduleRecord schedule, Utf8JsonWriter? json)
    {
        _scriptKeys.Add(_keys.Schedules);
        Write(schedule, StoreJson.Default.ScheduleRecord, json);
        AddChange(name, schedule.Name, RedisValue.EmptyString);
    }

    /// <param name="json">The writer to <see cref="_records"/>, or null for a change without a record.</param>
    private static void Write<T>(T record, JsonTypeInfo<T> type, Utf8JsonWriter? json)
    {
        if (json is not null)
        {
            JsonSerializer.Serialize(json, record, type);
            json.Reset();
        }
    }

    /// <summary>Adds a change whose record was written before, if it has one.</summary>
    private void AddChange(RedisValue name, RedisValue subject, RedisValue id)
    {
        var at = FirstChange + (_changes * RedisScripts.ArgumentsPerOp);
        (_values[at], _values[at + 1], _values[at + 2]) = (name, subject, id);
        _ends[_changes++] = _records.WrittenCount;
    }
}
