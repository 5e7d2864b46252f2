using System.Globalization;
using Mesh.Protocol;
using Mesh.Server.Api;
using Mesh.Server.Core.Tasks;
using Mesh.Simulation.Faults;
using Mesh.Simulation.Time;

namespace Mesh.Simulation.Nodes;

/// <summary>The clients of one server that retry or delete all dead letters, or those of one type. Some requests are made at the same time, and an incomplete one is repeated.</summary>
internal sealed class DeadLetterClient(SimWorld world, ServerNode server, Random random)
{
    private const int MaxTries = 3;

    private int _retried;

    /// <summary>The number of requests without an answer, including those that will be repeated.</summary>
    public int Open { get; private set; }

    public bool IsOf(ServerId id) => server.Name == id.Value;

    private string Name => $"dead-letters-{server.Name}";

    public void Begin()
    {
        var count = random.From(0, 3);
        for (var i = 0; i < count; i++)
        {
            world.Scheduler.At(random.Seconds(15, SimulationPlan.BusyTime.TotalSeconds + 15), Request);
        }
    }

    /// <summary>Makes a request at the adopter. Called when another server has adopted this one.</summary>
    public void OnAdopted()
    {
        if (world.Scheduler.Now < SimulationPlan.BusyTime && random.Chance(0.7))
        {
            world.Scheduler.After(random.Seconds(0, 2), Request);
        }
    }

    private void Request()
    {
        var (isDeletion, type) = (random.Chance(0.4), DrawType());
        Send(isDeletion, type, MaxTries);
        if (random.Chance(0.4))
        {
            world.Scheduler.After(random.Seconds(0, 0.003), () => Send(!isDeletion, random.Chance(0.5) ? type : DrawType(), MaxTries));
        }
    }

    private TaskType? DrawType() => random.Chance(0.5) ? null : random.Pick([TaskType.Query, TaskType.Update, WorkloadTypes.Report]);

    private void Send(bool isDeletion, TaskType? type, int tries)
    {
        // The dead letters of a server that is down are changed at the server that has adopted them.
        var at = world.Servers.Find(other => other.Adopts(server)) ?? server;
        Open++;
        var request = new DeadLetterRequest(type, isDeletion ? null : Revive, random.From(1, 6), result => OnAnswer(isDeletion, type, result, tries));
        world.Scheduler.After(random.Seconds(0.0001, 0.01), () =>
        {
            world.Log.Add(Name, $"{(isDeletion ? "deletes" : "retries")} all dead letters{(type is null ? "" : " of a type")}", type);
            if (at.IsUp)
            {
                at.Change(request);
            }
            else
            {
                request.Answer(null);
            }
        });
    }

    private TaskRecord Revive(TaskRecord dead)
    {
        var task = DeadLetterEndpoints.Revive(dead, new TaskId(string.Create(CultureInfo.InvariantCulture, $"{server.Name}-retried-{++_retried}")));
        world.InvariantChecker.DeadLetters.OnRetry(dead.WireId, task.WireId);
        world.InvariantChecker.OnPosted(task);
        if (task.Limits?.Timeout is { } timeout)
        {
            world.InvariantChecker.Timeouts.Expect(task.WireId, timeout);
        }

        return task;
    }

    private void OnAnswer(bool isDeletion, TaskType? type, BulkChangeResult? result, int tries)
    {
        Open--;
        var end = result is { } known ? known.EndedBy?.ToString() ?? "complete" : "no answer";
        world.Coverage.Count($"dead letters: {(isDeletion ? "deleted" : "retried")}, {end}");
        world.Coverage.Count($"dead letters: {(isDeletion ? "deleted" : "retried")}", result?.Count ?? 0);
        if (result is { EndedBy: null } || tries <= 1)
        {
            return;
        }

        Open++;
        world.Scheduler.After(random.Seconds(0.1, 3), () =>
        {
            Open--;
            Send(isDeletion, type, tries - 1);
        });
    }
}
