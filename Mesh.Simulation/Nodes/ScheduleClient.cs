using System.Globalization;
using Mesh.Protocol;
using Mesh.Server.Core.Schedules;
using Mesh.Server.Core.Tasks;
using Mesh.Simulation.Checks;
using Mesh.Simulation.Faults;
using Mesh.Simulation.Time;

namespace Mesh.Simulation.Nodes;

/// <summary>Puts schedules with short periods at one server, replaces and deletes some of them while faults happen, and deletes all of them afterwards.</summary>
internal sealed class ScheduleClient(SimWorld world, ServerNode server, Random random)
{
    private static readonly TimeSpan RetryDelay = TimeSpan.FromSeconds(2);
    private static readonly string[] Zones = ["UTC", "Europe/Lisbon"];

    /// <summary>The schedules that may exist.</summary>
    private readonly SortedSet<string> _names = new(StringComparer.Ordinal);

    /// <summary>The number of schedules that are not deleted yet.</summary>
    public int Open => server.IsRemoved && !IsAdoptable ? 0 : _names.Count;

    private bool IsAdoptable => world.Servers.Exists(other => !other.IsRemoved && other.Settings.Adoption.After > TimeSpan.Zero && other.Store.Redis == server.Store.Redis);

    public void Begin()
    {
        var count = random.From(0, 2);
        for (var i = 0; i < count; i++)
        {
            var name = string.Create(CultureInfo.InvariantCulture, $"schedule-{i + 1}");
            world.Scheduler.At(random.Seconds(1, 20), () => Put(name));
            if (random.Chance(0.3))
            {
                world.Scheduler.At(random.Seconds(20, 50), () => Put(name));
            }

            if (random.Chance(0.2))
            {
                world.Scheduler.At(random.Seconds(20, 50), () => Delete(name));
            }
        }

        // Nodes that were told to stop have ended and are started again by then.
        world.Scheduler.At(SimulationPlan.BusyTime + TimeSpan.FromSeconds(45), DeleteAll);
    }

    private void Put(string name)
    {
        _names.Add(name);
        var period = random.From(2, 20);
        if (!ScheduleTimes.TryParse($"*/{period} * * * * *", random.Pick(Zones), out var times, out var fault))
        {
            throw new InvalidOperationException($"{fault.Value.Field} {fault.Value.Detail}");
        }

        decimal? amount = random.Chance(0.5) ? random.From(1, 20) : null;
        var task = new TaskRecord("", new TaskId(""), amount is null ? TaskType.Query : TaskType.Update, "Maria", amount, 0);
        Change(server, new ScheduleChange(name, new ScheduleRecord(name, times, task, default)), outcome => world.Coverage.Count($"client: schedule put, {outcome?.ToString() ?? "refused"}"));
    }

    private void Delete(string name) => Change(server, new ScheduleChange(name, record: null), outcome => world.Coverage.Count($"client: schedule deleted, {outcome?.ToString() ?? "refused"}"));

    /// <summary>Deletes all schedules, and repeats this until none is left.</summary>
    private void DeleteAll()
    {
        foreach (var name in _names.ToArray())
        {
            if (server.IsRemoved && !server.Store.Schedules.ContainsKey(name))
            {
                _names.Remove(name);
                continue;
            }

            // The schedules of a lost server are deleted at the server that has adopted it.
            if ((server.IsRemoved ? world.Servers.Find(other => other.Adopts(server)) : server) is not { } at)
            {
                continue;
            }

            if (at.ServingFor > ScheduleCheck.SettleTime * 2 && server.Store.Redis.IsUp)
            {
                world.ScheduleCheck.CheckFired(at, server, name);
            }

            Change(at, new ScheduleChange(name, record: null), outcome =>
            {
                // The adopter may have a schedule of its own with this name, which it deletes first.
                if (outcome is SubmitOutcome.Accepted or SubmitOutcome.NoSchedule && !server.Store.Schedules.ContainsKey(name) && _names.Contains(name))
                {
                    _names.Remove(name);
                    world.Coverage.Count(at == server ? "client: schedule deleted at the end" : "client: schedule deleted at the adopter");
                }
            });
        }

        if (Open > 0)
        {
            world.Scheduler.After(RetryDelay, DeleteAll);
        }
    }

    private void Change(ServerNode at, ScheduleChange change, Action<SubmitOutcome?> answer)
    {
        var submission = new ClientSubmission([], isDeadLetterRetry: false, answer) { Schedule = change };
        world.Log.Add($"schedules-{server.Name}", change.Record is { } put ? $"puts {change.Name}: {put.Times}" : $"deletes {change.Name}");
        if (at.IsUp)
        {
            at.Submit(submission);
        }
        else
        {
            submission.Answer(null);
        }
    }
}
