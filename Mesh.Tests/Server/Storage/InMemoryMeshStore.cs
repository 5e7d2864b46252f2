using Mesh.Protocol;
using Mesh.Server.Core.Loans;
using Mesh.Server.Core.Persistence;
using Mesh.Server.Core.Schedules;
using Mesh.Server.Core.Tasks;
using Mesh.Server.ServerLeases;
using Mesh.Server.Storage;

namespace Mesh.Tests.Server.Storage;

/// <summary>A store in memory. <see cref="IsUnavailable"/> makes it unavailable. Its claims do not expire.</summary>
/// <param name="own">The server whose store it is.</param>
/// <param name="place">The state that several servers share; null for a separate one.</param>
internal sealed class InMemoryMeshStore(ServerId own, InMemoryNamespace? place = null) : IMeshStore
{
    private readonly InMemoryNamespace _place = place ?? new();
    private readonly Dictionary<ServerId, long> _held = [];
    private Action? _late;
    private long _tried;

    public InMemoryMeshStore()
        : this(new ServerId("server-a"))
    {
    }

    public bool IsUnavailable { get; set; }

    /// <summary>The stored schedules of this server.</summary>
    public IReadOnlyCollection<ScheduleRecord> Schedules => _place.Of(own).Schedules.Values;

    public bool HasAdopted => _held.Keys.Any(server => server != own);

    /// <summary>Makes loading fail, and nothing else.</summary>
    public bool IsUnreadable { get; set; }

    /// <summary>The exceptions with which loading these servers' state fails.</summary>
    public Dictionary<ServerId, Exception> Faults { get; } = [];

    /// <summary>The store has lost acknowledged changes, and refuses writes until it has been loaded.</summary>
    public bool HasGoneBack { get; set; }

    /// <summary>The next write is delayed, and its caller gets the exception of an unavailable store.</summary>
    public bool HoldsNext { get; set; }

    public Task<ServerLeaseAcquireResult> AcquireLeaseAsync(ServerId server, ServerLeaseHolder self, string? gone, CancellationToken cancellationToken) => Use(() =>
    {
        if (server != own && !_place.Servers.ContainsKey(server))
        {
            return new ServerLeaseAcquireResult(ServerLeaseAcquireStatus.Unknown);
        }

        var state = _place.Of(server);
        if (state.Holder is { } holder && holder.Instance != self.Instance && gone != state.EpochText)
        {
            state.HandbackRequested |= server == own;
            return new(ServerLeaseAcquireStatus.Held, state.EpochText, holder);
        }

        if (server != own && state.Tasks.Count + state.Dead.Count + state.Schedules.Count == 0)
        {
            return new(ServerLeaseAcquireStatus.Empty);
        }

        (state.Holder, state.HandbackRequested) = (self, false);
        _held[server] = ++state.Epoch;
        return new(ServerLeaseAcquireStatus.Acquired);
    });

    /// <summary>A renewal is answered when the task of this function is completed.</summary>
    public Func<Task>? BeforeRenewal { get; set; }

    public async Task<ServerLeaseRenewStatus> RenewLeaseAsync(ServerId server, CancellationToken cancellationToken)
    {
        await (BeforeRenewal?.Invoke() ?? Task.CompletedTask);
        return await RenewLeaseAsync(server);
    }

    private Task<ServerLeaseRenewStatus> RenewLeaseAsync(ServerId server) => Use(() =>
        Holds(server) ? server != own && _place.Of(server).HandbackRequested ? ServerLeaseRenewStatus.HandbackRequested : ServerLeaseRenewStatus.Held
        : server == own ? throw new ServerLeaseLostException(server, _place.Of(server).Holder)
        : ServerLeaseRenewStatus.Lost);

    public Task ReleaseLeaseAsync(ServerId server, CancellationToken cancellationToken) => Use(() =>
    {
        if (Holds(server))
        {
            _place.Of(server).Holder = null;
        }

        return _held.Remove(server);
    });

    public Task<StoredState> LoadAsync(ServerId server, CancellationToken cancellationToken) => Use(() =>
    {
        if (Faults.TryGetValue(server, out var fault))
        {
            throw fault;
        }

        if (IsUnreadable)
        {
            throw new StoreUnavailableException("The test made it unreadable.", new IOException());
        }

        HasGoneBack = false;
        return new StoredState
        {
            Tasks = [.. _place.Of(server).Tasks.Values.Select(task => Kept(task, server))],
            Loans = [.. _place.Of(server).Loans.Values],
            Schedules = [.. _place.Of(server).Schedules.Values.Select(schedule => server == own ? schedule : schedule with { StoredBy = server })],
            Done = _place.Of(server).Done,
            Dead = _place.Of(server).Dead.Count,
            LastDeadSequence = _place.Of(server).Dead.Values.Select(task => task.Sequence).DefaultIfEmpty().Max(),
        };
    });

    public Task<IReadOnlyDictionary<string, TaskRecord?>> WriteAsync(StoreBatch batch, CancellationToken cancellationToken) => Use<IReadOnlyDictionary<string, TaskRecord?>>(() =>
    {
        if (!Holds(own))
        {
            throw new ServerLeaseLostException(own, _place.Of(own).Holder);
        }

        if (HasGoneBack)
        {
            throw new StoreRolledBackException();
        }

        var number = _tried = Math.Max(_tried, _place.Of(own).Written) + 1;
        if (HoldsNext)
        {
            HoldsNext = false;
            _late = () => Write(batch, number);
            throw new StoreUnavailableException("The test holds it up.");
        }

        return Write(batch, number);
    });

    public Task<TaskRecord?> FindSettledAsync(string id, CancellationToken cancellationToken) => Use(() => Readable()
        .Select(server => (_place.Of(server).Results.GetValueOrDefault(id) ?? _place.Of(server).Dead.GetValueOrDefault(id)) is { } task ? Kept(task, server) : null)
        .FirstOrDefault(task => task is not null));

    public Task<DeadLetterPage> ReadDeadAsync(DeadLetterQuery query, CancellationToken cancellationToken) => DeadLetterPages.CollectAsync(query, [.. Readable()], (server, after) =>
        Use<IReadOnlyList<(DeadLetterCursor, TaskRecord?)>>(() => [.. _place.Of(server).Dead.Values.OrderBy(task => task.Sequence)
            .SkipWhile(task => after is not null && task.Sequence <= after.Sequence).Take(DeadLetterPages.ReadSize)
            .Select(task => (new DeadLetterCursor(server, task.Sequence, task.Id), (TaskRecord?)Kept(task, server)))]));

    public Task<IReadOnlyList<DeadLetterCursor>> FindLastDeadAsync(CancellationToken cancellationToken) => Use<IReadOnlyList<DeadLetterCursor>>(() => [.. Readable()
        .Select(server => _place.Of(server).Dead.Values.MaxBy(task => task.Sequence) is { } last ? new DeadLetterCursor(server, last.Sequence, last.Id) : null).OfType<DeadLetterCursor>()]);

    /// <summary>Delivers the delayed write. Its caller does not wait for the answer any more.</summary>
    public Task ArriveAsync() => Use(() => Record.Exception(_late!));

    private Dictionary<string, TaskRecord?> Write(StoreBatch batch, long number)
    {
        if (_place.Of(own) is var mine && number <= mine.Written)
        {
            throw new StoreUnavailableException("A later write was here before.");
        }

        mine.Written = number;
        Dictionary<string, TaskRecord?> known = [];
        foreach (var op in batch.Ops)
        {
            var server = op.StoredBy ?? own;
            if (Holds(server))
            {
                _place.Of(server).Apply(op, known);
            }
            else if (op.Kind == StoreOpKind.DropSchedule)
            {
                known[op.Schedule!.UnwrittenKey] = null;
            }
            else
            {
                foreach (var refused in op.IsReportedWhenRefused ? [op.Task!] : op.Then ?? [])
                {
                    known[refused.ExistingTaskKey] = null;
                }
            }
        }

        batch.DeadLetters = mine.Dead.Count;
        return known;
    }

    private bool Holds(ServerId server) => _held.TryGetValue(server, out var epoch) && epoch == _place.Of(server).Epoch;

    private TaskRecord Kept(TaskRecord task, ServerId server) => server == own ? task : task with { StoredBy = server };

    private IEnumerable<ServerId> Readable() => _held.Keys.Where(server => server != own).Prepend(own);

    private Task<T> Use<T>(Func<T> use)
    {
        lock (_place)
        {
            if (IsUnavailable)
            {
                return Task.FromException<T>(new StoreUnavailableException("The test took it away.", new IOException()));
            }

            try
            {
                return Task.FromResult(use());
            }
            catch (Exception fault) when (fault is ServerLeaseLostException or StoreUnavailableException or StoreRolledBackException)
            {
                return Task.FromException<T>(fault);
            }
        }
    }
}

/// <summary>The state that the stores of several servers share.</summary>
internal sealed class InMemoryNamespace
{
    public Dictionary<ServerId, InMemoryState> Servers { get; } = [];

    public InMemoryState Of(ServerId server)
    {
        if (!Servers.TryGetValue(server, out var state))
        {
            Servers.Add(server, state = new InMemoryState());
        }

        return state;
    }
}

/// <summary>The stored state of one server.</summary>
internal sealed class InMemoryState
{
    private readonly Dictionary<string, string> _ids = [];

    public Dictionary<string, TaskRecord> Tasks { get; } = [];

    public Dictionary<string, TaskRecord> Results { get; } = [];

    public Dictionary<string, TaskRecord> Dead { get; } = [];

    public Dictionary<string, LoanRecord> Loans { get; } = [];

    public Dictionary<string, ScheduleRecord> Schedules { get; } = [];

    public long Done { get; private set; }

    public long Epoch { get; set; }

    /// <summary>The number of the last write.</summary>
    public long Written { get; set; }

    public string EpochText => $"{Epoch}";

    public ServerLeaseHolder? Holder { get; set; }

    public bool HandbackRequested { get; set; }

    public void Apply(in StoreOp op, Dictionary<string, TaskRecord?> known)
    {
        var task = op.Task;
        var wire = task?.WireId.Value ?? "";
        switch (op.Kind)
        {
            case StoreOpKind.AcceptTask when task!.Keyed && _ids.TryGetValue(task.Id, out var owner) && owner == wire:
                break;
            case StoreOpKind.AcceptTask when task!.Keyed && Find(task.Id) is { } there:
                known[task.ExistingTaskKey] = there;
                break;
            case StoreOpKind.AcceptTask:
                Put(task!);
                break;
            case StoreOpKind.UpdateTask when Tasks.ContainsKey(wire):
                Tasks[wire] = Stored(task!);
                break;
            case StoreOpKind.SettleTask:
                Settle(task!, op.Then ?? [], known);
                break;
            case StoreOpKind.MoveTaskToDeadLetters when Take(task!):
                Dead[task!.Id] = Stored(task);
                break;
            case StoreOpKind.CancelTask when Take(task!):
                Results[task!.Id] = Stored(task);
                break;
            case StoreOpKind.DeleteDeadLetter when Dead.TryGetValue(task!.Id, out var dead) && dead.WireId == task.WireId:
                Dead.Remove(task.Id);
                break;
            case StoreOpKind.DeleteDeadLetter:
                known[StoreOp.MissingDeadLetterKey(task!.WireId)] = null;
                break;
            case StoreOpKind.RetryDeadLetter when Dead.Remove(task!.Id):
                Put(task);
                break;
            case StoreOpKind.RetryDeadLetter when !Tasks.ContainsKey(wire):
                known[task!.ExistingTaskKey] = null;
                break;
            case StoreOpKind.RestoreTask when !Results.ContainsKey(task!.Id):
                Dead.Remove(task.Id);
                Put(task);
                break;
            case StoreOpKind.DropTask:
                Take(task!);
                break;
            case StoreOpKind.PutSchedule:
                if (task is not null)
                {
                    Apply(op with { Kind = StoreOpKind.AcceptTask, Schedule = null }, known);
                }

                Schedules[op.Schedule!.Name] = op.Schedule with { StoredBy = null };
                break;
            case StoreOpKind.DropSchedule:
                Schedules.Remove(op.Schedule!.Name);
                break;
            case StoreOpKind.PutLoan:
                Loans[op.Loan!.Worker.Value] = op.Loan;
                break;
            case StoreOpKind.DropLoan:
                Loans.Remove(op.Loan!.Worker.Value);
                break;
            case StoreOpKind.UpdateTask or StoreOpKind.MoveTaskToDeadLetters or StoreOpKind.RetryDeadLetter or StoreOpKind.RestoreTask or StoreOpKind.CancelTask:
                break;
            default:
                throw new InvalidOperationException($"Unknown change {op.Kind}.");
        }
    }

    private void Settle(TaskRecord task, IReadOnlyList<TaskRecord> then, Dictionary<string, TaskRecord?> known)
    {
        var isUnsettled = Take(task);
        foreach (var next in then.Where(next => !Tasks.ContainsKey(next.WireId.Value)))
        {
            if (!isUnsettled || Find(next.Id) is not null)
            {
                known[next.ExistingTaskKey] = isUnsettled ? Find(next.Id) : null;
                continue;
            }

            Put(next);
        }

        if (isUnsettled)
        {
            Results[task.Id] = Stored(task);
            Done++;
        }
    }

    private static TaskRecord Stored(TaskRecord task) => task with { StoredBy = null };

    private TaskRecord? Find(string id) =>
        _ids.TryGetValue(id, out var wire) ? Tasks[wire] : Results.GetValueOrDefault(id) ?? Dead.GetValueOrDefault(id);

    private void Put(TaskRecord task)
    {
        _ids[task.Id] = task.WireId.Value;
        Tasks[task.WireId.Value] = Stored(task);
    }

    private bool Take(TaskRecord task)
    {
        if (_ids.GetValueOrDefault(task.Id) == task.WireId.Value)
        {
            _ids.Remove(task.Id);
        }

        return Tasks.Remove(task.WireId.Value);
    }
}

public sealed class InMemoryMeshStoreTests() : MeshStoreContract(new InMemoryBackend());

public sealed class InMemoryFollowUpStoreTests() : FollowUpStoreContract(new InMemoryBackend());

public sealed class InMemoryDeadLetterStoreTests() : DeadLetterStoreContract(new InMemoryBackend());

public sealed class InMemoryScheduleStoreTests() : ScheduleStoreContract(new InMemoryBackend());

public sealed class InMemoryStoreLeaseTests() : StoreServerLeaseContract(new InMemoryBackend());
