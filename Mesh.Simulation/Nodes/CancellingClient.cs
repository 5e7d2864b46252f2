using Mesh.Server.Core.Tasks;
using Mesh.Simulation.Time;

namespace Mesh.Simulation.Nodes;

/// <summary>
/// The clients of one server that cancel tasks. They do what DELETE /tasks/{id} does: when the server has no unsettled task with the id, they look into its store, and delete a dead
/// letter.
/// </summary>
internal sealed class CancellingClient(SimWorld world, ServerNode server, Random random)
{
    private const int MaxTries = 4;

    /// <summary>The share of tasks that are cancelled.</summary>
    private const double CancelRate = 0.06;

    /// <summary>The share of dead letters that are deleted, at one time.</summary>
    private const double DeleteRate = 0.1;

    /// <summary>The number of requests without an answer, including those that will be repeated.</summary>
    public int Open { get; private set; }

    private string Name => $"canceller-{server.Name}";

    /// <summary>Deletes some dead letters at one time.</summary>
    public void Begin() => world.Scheduler.At(random.Seconds(20, 70), () =>
    {
        foreach (var dead in server.Store.Dead.Values.Where(_ => random.Chance(DeleteRate)).Take(5).ToList())
        {
            Cancel(dead.Id, null, MaxTries);
        }
    });

    /// <summary>Cancels some of the submitted tasks, at any time from their submission on.</summary>
    public void OnSubmitted(IReadOnlyList<TaskRecord> tasks)
    {
        foreach (var task in tasks.Where(_ => random.Chance(CancelRate)))
        {
            var delay = random.Chance(0.3) ? random.Seconds(0, 0.05) : random.Seconds(0, 30);
            world.Scheduler.After(delay, () => Cancel(task.Id, null, MaxTries));
        }
    }

    private void Cancel(string id, TaskRecord? deadLetter, int tries)
    {
        // The tasks of a server that is down are cancelled at the server that has adopted them.
        var at = world.Servers.Find(other => other.Adopts(server)) ?? server;
        var dead = deadLetter is null ? null : at == server ? deadLetter : deadLetter with { StoredBy = new(server.Name) };
        Open++;
        var answered = false;
        var request = new ClientCancel(id, outcome =>
        {
            world.Coverage.Count($"cancel: {(deadLetter is null ? "" : "dead letter, ")}{outcome?.ToString() ?? "refused"}");
            if (!answered && !random.Chance(0.02))
            {
                answered = true;
                world.Scheduler.After(Latency(), () => OnAnswer(id, outcome, tries));
            }
        })
        {
            DeadLetter = dead,
        };
        world.Scheduler.After(Latency(), () =>
        {
            if (at.IsUp)
            {
                world.Log.Add(Name, deadLetter is null ? "cancels" : "deletes", id);
                at.Cancel(request);
            }
            else
            {
                request.Answer(null);
            }
        });
        world.Scheduler.After(TimeSpan.FromSeconds(15), () =>
        {
            if (!answered)
            {
                answered = true;
                OnAnswer(id, null, tries);
            }
        });
    }

    private void OnAnswer(string id, CancelOutcome? outcome, int tries)
    {
        Open--;
        switch (outcome)
        {
            case CancelOutcome.Cancelled or CancelOutcome.Requested:
                return;
            case CancelOutcome.NotUnsettled when server.Store.Dead.TryGetValue(id, out var dead) && tries > 1:
                Cancel(id, dead, tries - 1);
                return;
            case CancelOutcome.NotUnsettled:
                if (server.Store.Results.TryGetValue(id, out var result))
                {
                    world.Coverage.Count($"cancel: the task is {result.State}");
                    world.InvariantChecker.Cancels.OnFound(server, result);
                }

                return;
            case null or CancelOutcome.StoreUnavailable or CancelOutcome.Unknown or CancelOutcome.Stopping:
                if (tries > 1)
                {
                    Open++;
                    world.Scheduler.After(random.Seconds(0.1, 3), () =>
                    {
                        Open--;
                        Cancel(id, null, tries - 1);
                    });
                }

                return;
            default:
                throw new InvalidOperationException($"The outcome {outcome} is unknown.");
        }
    }

    private TimeSpan Latency() => random.Seconds(0.0001, 0.01);
}
