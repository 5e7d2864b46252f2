using Mesh.Server.Core;

namespace Mesh.Simulation;

/// <summary>
/// A server's process that was held up and goes on, while another may have been started in its place. Its connections are gone. It does what it can do worst:
/// takes a submission that had come in meanwhile, looks at its clock, and writes.
/// </summary>
/// <param name="isWriting">A write was under way: what has gathered since waits for its outcome, which does not come.</param>
internal sealed class FrozenServer(SimWorld world, ServerNode node, ServerCore core, Effects effects, SimStoreLink link, bool isWriting)
{
    public void Resume(IReadOnlyList<TaskRecord> tasks, DateTimeOffset now)
    {
        effects.Clear();
        core.OnSubmit(new ClientSubmission(tasks, isDeadLetterRetry: false, _ => { }), now);
        core.OnTimer(now);
        node.Log("goes on, having been held up");
        Write(now);
    }

    private void Write(DateTimeOffset now)
    {
        foreach (var task in effects.Invalidations)
        {
            world.Ledger.Call(() => world.Ledger.Close(task.User, task.WireId), (Mesh.Accounts.LedgerUpdate? _) => { });
        }

        foreach (var (submission, outcome) in effects.SubmissionResults)
        {
            world.Coverage.Count($"frozen server: {outcome}");
            world.InvariantChecker.OnAnswer(node, submission, outcome);
        }

        effects.Clear();
        if (!isWriting && core.Journal.TryTake() is { } batch)
        {
            link.Write(batch.Ops, known =>
            {
                if (link.IsFenced)
                {
                    world.Coverage.Count("frozen server: found its place taken");
                }
                else if (known is not null)
                {
                    core.OnStored(batch, known, now);
                    Write(now);
                }
            });
        }
    }
}
