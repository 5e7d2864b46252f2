using System.Globalization;
using Mesh.Protocol;
using Mesh.Server.Core.Tasks;
using Mesh.Simulation.Checks;
using Mesh.Simulation.Faults;
using Mesh.Simulation.Time;

namespace Mesh.Simulation.Nodes;

/// <summary>The clients of one server. They post tasks in bursts, use some keys twice, post again after an error, and retry dead letters.</summary>
internal sealed class Client(
    SimWorld world, ServerNode server, int maxBurst, Random random, TaskVariation variation, Random types, CancellingClient canceller, Random limits)
{
    private const int MaxTries = 4;

    /// <summary>The share of reused keys that are sent with other contents.</summary>
    private const double ConflictingContentRate = 0.02;

    /// <summary>The share of tasks of a type without an account.</summary>
    private const double ReportRate = 0.2;

    /// <summary>The share of tasks with a timeout.</summary>
    private const double TimeoutRate = 0.05;

    private static readonly string[] Users = ["Maria", "Joao", "Ana", "Pedro", "Carla"];

    /// <summary>The first task of each key.</summary>
    private readonly Dictionary<string, TaskRecord> _keyed = [];

    private int _tasks;
    private int _keys;

    private int _open;

    /// <summary>The number of requests without an answer, including those that will be repeated.</summary>
    public int Open => _open + canceller.Open;

    private string Name => $"client-{server.Name}";

    public void Begin(int bursts)
    {
        for (var i = 0; i < bursts; i++)
        {
            world.Scheduler.At(random.Seconds(1, SimulationPlan.BusyTime.TotalSeconds), Burst);
        }

        canceller.Begin();
        for (var i = 0; i < 3; i++)
        {
            world.Scheduler.At(random.Seconds(20, SimulationPlan.BusyTime.TotalSeconds + 20), RetryDeadLetters);
        }
    }

    private void Burst()
    {
        var left = random.Chance(0.2) ? random.From(1, 3) : random.From(5, maxBurst);
        var together = random.Chance(0.7);
        while (left > 0)
        {
            var count = together ? Math.Min(left, 25) : 1;
            left -= count;
            var tasks = Enumerable.Range(0, count).Select(_ => NewTask(random.Chance(0.2) ? NewKey() : null)).ToList();
            Post(tasks, isDeadLetterRetry: false, MaxTries);
        }
    }

    private string NewKey() => string.Create(CultureInfo.InvariantCulture, $"key-{random.Next(++_keys) + 1}");

    private TaskId NewId() => new(string.Create(CultureInfo.InvariantCulture, $"{server.Name}-{++_tasks}"));

    private TaskRecord NewTask(string? key)
    {
        var id = NewId();
        if (key is not null && _keyed.TryGetValue(key, out var first) && !random.Chance(ConflictingContentRate))
        {
            return first with { WireId = id };
        }

        var user = random.Chance(0.05) ? "nobody" : random.Pick(Users);
        var update = random.Chance(0.6);
        decimal? amount = update ? random.From(-30, 100) / 4m : null;
        var task = variation.Apply(new TaskRecord(key ?? id.Value, id, update ? TaskType.Update : TaskType.Query, user, amount, 0) { Keyed = key is not null });
        if (limits.Chance(TimeoutRate))
        {
            task = task with { Limits = (task.Limits ?? new(null, null, null)) with { Timeout = limits.Chance(0.3) ? limits.Seconds(0.05, 1) : limits.Seconds(2, 25) } };
        }

        if (types.Chance(ReportRate))
        {
            task = task with { Type = WorkloadTypes.Report, User = null, Amount = null, Payload = RawJson.Copy("""{"month":5}"""u8) };
        }

        if (key is not null)
        {
            _keyed.TryAdd(key, task);
        }

        return task;
    }

    private void RetryDeadLetters()
    {
        // The dead letters of a server that is down are revived at the server that has adopted them.
        var at = world.Servers.Find(other => other.Adopts(server)) ?? server;
        var dead = server.Store.Dead.Values.Where(_ => random.Chance(0.5)).Take(10).ToList();
        foreach (var task in dead)
        {
            var again = task with { WireId = NewId(), State = TaskState.Queued, Attempts = 0, Error = null, Worker = null };
            world.InvariantChecker.DeadLetters.OnRetry(task.WireId, again.WireId);
            Post([at == server ? again : again with { StoredBy = new ServerId(server.Name) }], isDeadLetterRetry: true, 1, at);
        }
    }

    private void Post(List<TaskRecord> tasks, bool isDeadLetterRetry, int tries, ServerNode? other = null)
    {
        var at = other ?? server;
        tasks.ForEach(world.InvariantChecker.OnPosted);
        foreach (var task in tasks.Where(task => task.Limits?.Timeout is not null))
        {
            world.InvariantChecker.Timeouts.Expect(task.WireId, task.Limits!.Timeout!.Value);
        }

        if (world.Mutation == Mutation.TimeoutsIgnored)
        {
            tasks = tasks.ConvertAll(task => task.Limits is { } own ? task with { Limits = own with { Timeout = null } } : task);
        }

        canceller.OnSubmitted(tasks);
        _open++;
        var answered = false;
        var submission = new ClientSubmission(tasks, isDeadLetterRetry, outcome =>
        {
            world.Coverage.Count($"client: {outcome?.ToString() ?? "refused"}");
            if (!answered && !random.Chance(0.02))
            {
                answered = true;
                world.Scheduler.After(Latency(), () => OnAnswer(tasks, isDeadLetterRetry, outcome, tries));
            }
        });
        world.Scheduler.After(Latency(), () =>
        {
            if (at.IsUp)
            {
                world.Log.Add(Name, $"posts {tasks.Count} tasks{(isDeadLetterRetry ? " to be revived" : "")}:", tasks[0].Id);
                at.Submit(submission);
            }
            else
            {
                submission.Answer(null);
            }
        });
        world.Scheduler.After(TimeSpan.FromSeconds(15), () =>
        {
            if (!answered)
            {
                answered = true;
                OnAnswer(tasks, isDeadLetterRetry, null, tries);
            }
        });
    }

    private void OnAnswer(List<TaskRecord> tasks, bool isDeadLetterRetry, SubmitOutcome? outcome, int tries)
    {
        _open--;
        if (outcome == SubmitOutcome.Accepted || isDeadLetterRetry || tries <= 1)
        {
            return;
        }

        // A task with a key can be posted again although it may have been accepted.
        var keyed = tasks.Where(task => task.Keyed).Select(task => task with { WireId = NewId() }).ToList();
        if (keyed.Count > 0)
        {
            _open++;
            world.Scheduler.After(random.Seconds(0.1, 3), () =>
            {
                _open--;
                Post(keyed, isDeadLetterRetry: false, tries - 1);
            });
        }
    }

    private TimeSpan Latency() => random.Seconds(0.0001, 0.01);
}
