using System.Collections.Frozen;
using Mesh.Server.Core;
using Mesh.Server.Storage;

namespace Mesh.Tests.Storage;

/// <summary>A store without Redis; <see cref="IsAway"/> takes it away.</summary>
internal sealed class InMemoryMeshStore : IMeshStore
{
    private readonly Lock _lock = new();
    private readonly Dictionary<string, TaskRecord> _tasks = [];
    private readonly Dictionary<string, string> _ids = [];
    private readonly Dictionary<string, TaskRecord> _results = [];
    private readonly Dictionary<string, TaskRecord> _dead = [];
    private readonly Dictionary<string, LoanRecord> _loans = [];
    private long _done;

    public bool IsAway { get; set; }

    public Task<StoredState> LoadAsync(CancellationToken cancellationToken) => Use(() => new StoredState
    {
        Tasks = [.. _tasks.Values],
        Loans = [.. _loans.Values],
        Done = _done,
        Dead = _dead.Count,
    });

    public Task<IReadOnlySet<string>> WriteAsync(StoreBatch batch, CancellationToken cancellationToken) => Use<IReadOnlySet<string>>(() =>
    {
        var known = new HashSet<string>();
        foreach (var op in batch.Ops)
        {
            Apply(op, known);
        }

        return known.ToFrozenSet();
    });

    public Task<TaskRecord?> FindSettledAsync(string id, CancellationToken cancellationToken) =>
        Use(() => _results.GetValueOrDefault(id) ?? _dead.GetValueOrDefault(id));

    public Task<IReadOnlyList<TaskRecord>> ListDeadAsync(int limit, CancellationToken cancellationToken) =>
        Use<IReadOnlyList<TaskRecord>>(() => [.. _dead.Values.OrderBy(task => task.Sequence).Take(limit)]);

    private Task<T> Use<T>(Func<T> use)
    {
        lock (_lock)
        {
            return IsAway ? Task.FromException<T>(new StoreAwayException("The test took it away.", new IOException())) : Task.FromResult(use());
        }
    }

    private void Apply(in StoreOp op, HashSet<string> known)
    {
        var task = op.Task;
        var wire = task?.WireId.Value ?? "";
        switch (op.Kind)
        {
            case StoreOpKind.AcceptTask when task!.Keyed && _ids.TryGetValue(task.Id, out var owner) && owner == wire:
                break;
            case StoreOpKind.AcceptTask when task!.Keyed && (_ids.ContainsKey(task.Id) || _results.ContainsKey(task.Id) || _dead.ContainsKey(task.Id)):
                known.Add(task.Id);
                break;
            case StoreOpKind.AcceptTask:
                Put(task!);
                break;
            case StoreOpKind.UpdateTask when _tasks.ContainsKey(wire):
                _tasks[wire] = task!;
                break;
            case StoreOpKind.SettleTask when Take(task!):
                _results[task!.Id] = task;
                _done++;
                break;
            case StoreOpKind.BuryTask when Take(task!):
                _dead[task!.Id] = task;
                break;
            case StoreOpKind.ReviveTask when _dead.Remove(task!.Id):
                Put(task);
                break;
            case StoreOpKind.ReviveTask when !_tasks.ContainsKey(wire):
                known.Add(task!.Id);
                break;
            case StoreOpKind.DropTask:
                Take(task!);
                break;
            case StoreOpKind.PutLoan:
                _loans[op.Loan!.Worker.Value] = op.Loan;
                break;
            case StoreOpKind.DropLoan:
                _loans.Remove(op.Loan!.Worker.Value);
                break;
            case StoreOpKind.UpdateTask or StoreOpKind.SettleTask or StoreOpKind.BuryTask or StoreOpKind.ReviveTask:
                break;
            default:
                throw new InvalidOperationException($"Unknown change {op.Kind}.");
        }
    }

    private void Put(TaskRecord task)
    {
        _ids[task.Id] = task.WireId.Value;
        _tasks[task.WireId.Value] = task;
    }

    private bool Take(TaskRecord task)
    {
        if (_ids.GetValueOrDefault(task.Id) == task.WireId.Value)
        {
            _ids.Remove(task.Id);
        }

        return _tasks.Remove(task.WireId.Value);
    }
}

public sealed class InMemoryMeshStoreTests : MeshStoreContract
{
    private protected override Task<IMeshStore> CreateAsync() => Task.FromResult<IMeshStore>(new InMemoryMeshStore());
}
