using System.Text.Json;
using Mesh.Server.Core.Loans;
using Mesh.Server.Core.Persistence;
using Mesh.Server.Core.Schedules;
using Mesh.Server.Core.Tasks;
using StackExchange.Redis;

namespace Mesh.Server.Storage;

/// <summary>The keys and arguments of one call of <see cref="RedisScripts.Write"/>.</summary>
internal sealed class WriteArguments
{
    private readonly RedisKeys _keys;
    private readonly List<RedisKey> _scriptKeys;
    private readonly List<RedisValue> _arguments;

    public WriteArguments(RedisKeys keys, HeldServerLease lease, long number, TimeSpan resultRetention, bool probe, int ops)
    {
        _keys = keys;
        _scriptKeys = [keys.Tasks, keys.Ids, keys.Dead, keys.Loans, keys.Done, keys.FencingToken, keys.LastWriteNumber, keys.DeadIndex];
        _arguments = new(5 + (ops * RedisScripts.ArgumentsPerOp))
        {
            Math.Max(1, (long)resultRetention.TotalSeconds), lease.FencingToken, probe ? RedisScripts.Probe : RedisValue.EmptyString, lease.LastWriteNumber, number,
        };
    }

    public RedisKey[] Keys => [.. _scriptKeys];

    public RedisValue[] Values => [.. _arguments];

    public void Add(in StoreOp op)
    {
        switch (op.Kind)
        {
            case StoreOpKind.AcceptTask when op.Task!.Keyed:
                _scriptKeys.Add(_keys.Result(op.Task.Id));
                Add(RedisScripts.AcceptKeyed, op.Task, withRecord: true);
                break;
            case StoreOpKind.AcceptTask:
                Add(RedisScripts.Accept, op.Task!, withRecord: true);
                break;
            case StoreOpKind.UpdateTask:
                Add(RedisScripts.Update, op.Task!, withRecord: true);
                break;
            case StoreOpKind.SettleTask:
                foreach (var task in op.Then ?? [])
                {
                    _scriptKeys.Add(_keys.Result(task.Id));
                    Add(RedisScripts.Then, task, withRecord: true);
                }

                _scriptKeys.Add(_keys.Result(op.Task!.Id));
                Add(RedisScripts.Settle, op.Task, withRecord: true);
                break;
            case StoreOpKind.MoveTaskToDeadLetters:
                Add(RedisScripts.MoveToDeadLetters, op.Task!, withRecord: true);
                Add(RedisScripts.IndexDeadLetter, op.Task!.Sequence, op.Task.Id, RedisValue.EmptyString);
                break;
            case StoreOpKind.RetryDeadLetter:
                Add(RedisScripts.RetryDeadLetter, op.Task!, withRecord: true);
                break;
            case StoreOpKind.DropTask:
                Add(RedisScripts.Drop, op.Task!, withRecord: false);
                break;
            case StoreOpKind.RestoreTask:
                _scriptKeys.Add(_keys.Result(op.Task!.Id));
                Add(RedisScripts.Restore, op.Task, withRecord: true);
                break;
            case StoreOpKind.CancelTask:
                _scriptKeys.Add(_keys.Result(op.Task!.Id));
                Add(RedisScripts.Cancel, op.Task, withRecord: true);
                break;
            case StoreOpKind.DeleteDeadLetter:
                Add(RedisScripts.DeleteDeadLetter, op.Task!.WireId.Value, op.Task.Id, BeginningOf(op.Task));
                break;
            case StoreOpKind.PutLoan:
                Add(RedisScripts.PutLoan, op.Loan!, withRecord: true);
                break;
            case StoreOpKind.DropLoan:
                Add(RedisScripts.DropLoan, op.Loan!, withRecord: false);
                break;
            case StoreOpKind.PutSchedule:
                if (op.Task is { } fired)
                {
                    _scriptKeys.Add(_keys.Result(fired.Id));
                    Add(RedisScripts.AcceptKeyed, fired, withRecord: true);
                }

                Add(RedisScripts.PutSchedule, op.Schedule!, withRecord: true);
                break;
            case StoreOpKind.DropSchedule:
                Add(RedisScripts.DropSchedule, op.Schedule!, withRecord: false);
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

    private void Add(string name, TaskRecord task, bool withRecord) =>
        Add(name, task.WireId.Value, task.Id, withRecord ? JsonSerializer.SerializeToUtf8Bytes(task, StoreJson.Default.TaskRecord) : RedisValue.EmptyString);

    private void Add(string name, LoanRecord loan, bool withRecord) =>
        Add(name, loan.Worker.Value, RedisValue.EmptyString, withRecord ? JsonSerializer.SerializeToUtf8Bytes(loan, StoreJson.Default.LoanRecord) : RedisValue.EmptyString);

    private void Add(string name, ScheduleRecord schedule, bool withRecord)
    {
        _scriptKeys.Add(_keys.Schedules);
        Add(name, schedule.Name, RedisValue.EmptyString, withRecord ? JsonSerializer.SerializeToUtf8Bytes(schedule, StoreJson.Default.ScheduleRecord) : RedisValue.EmptyString);
    }

    private void Add(RedisValue name, RedisValue subject, RedisValue id, RedisValue record)
    {
        _arguments.Add(name);
        _arguments.Add(subject);
        _arguments.Add(id);
        _arguments.Add(record);
    }
}
