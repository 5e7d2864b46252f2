using Mesh.Protocol;
using Mesh.Simulation.Checks;
using Mesh.Simulation.Nodes;
using Mesh.Simulation.Time;
using TaskStatus = Mesh.Protocol.TaskStatus;

namespace Mesh.Simulation.Foreign;

/// <summary>
/// A worker written by others: raw lines, one task at a time, only QUERY, no TASK_ID, a poll every few seconds. It sends its home only to other servers,
/// and obeys RETURN only when the address is exactly the address of its home.
/// </summary>
internal sealed class ForeignWorker(SimWorld world, WorkerId id, ServerId home, MeshEndpoint homeAt, Random random) : SimNode(world, id.Value)
{
    private MeshEndpoint _at;

    /// <summary>The server that it belongs to.</summary>
    public string Home => home.Value;

    public bool IsHome => IsUp && _at == homeAt;

    public override void Stop() => Kill();

    protected override void OnStart()
    {
        _at = homeAt;
        After(random.Seconds(0, 2), Poll);
    }

    protected override void OnKilled()
    {
    }

    private void Poll()
    {
        var message = new GetTask(id, _at == homeAt ? null : home);
        Log($"tells {_at}", message);
        World.Network.Exchange(Name, _at, message, IgnoreAfterRestart<MeshMessage?, string>(OnAnswer));
    }

    private void OnAnswer(MeshMessage? reply, string why)
    {
        Log($"hears {_at} {why}", reply);
        switch (reply)
        {
            case NewTask task when task.Type == TaskType.Query:
                After(random.Seconds(0.1, 2), () => Report(task));
                return;
            case NewTask task:
                throw new InvariantViolation(Invariant.OnlyHandledTypes, $"{Name} was handed {task.Type}");
            case Redirect redirect:
                World.Coverage.Count("foreign worker: redirected");
                _at = redirect.Target;
                break;
            case Return back when back.Target == homeAt:
                World.Coverage.Count("foreign worker: returned");
                _at = homeAt;
                break;
            case null or Rejection when _at != homeAt:
                World.Coverage.Count("foreign worker: gave up a borrower");
                _at = homeAt;
                After(TimeSpan.FromSeconds(5), Poll);
                return;
            default:
                break;
        }

        After(random.Seconds(1, 5), Poll);
    }

    private void Report(NewTask task)
    {
        var outcome = World.Ledger.Find(task.User!) is null ? TaskOutcome.Nok : TaskOutcome.Ok;
        var status = new TaskStatus(outcome, TaskType.Query, id);
        Log($"tells {_at}", status);
        World.Network.Exchange(Name, _at, status, IgnoreAfterRestart<MeshMessage?, string>((reply, why) =>
        {
            Log($"hears {_at} {why}", reply);
            if (reply is null && _at != homeAt)
            {
                _at = homeAt;
            }

            After(random.Seconds(1, 5), Poll);
        }));
    }
}
