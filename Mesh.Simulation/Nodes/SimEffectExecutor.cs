using Mesh.Protocol;
using Mesh.Server.Core;
using Mesh.Server.Links;
using Mesh.Server.Loop;
using Mesh.Server.ServerLeases;
using Mesh.Server.StoreWriting;
using Mesh.Simulation.Checks;

namespace Mesh.Simulation.Nodes;

/// <summary>Passes the effects of a server's core to the simulated network, to the shells of its process and to the checks.</summary>
/// <param name="links">The links to the peers.</param>
internal sealed class SimEffectExecutor(
    SimWorld world, ServerNode node, PeerLinks links, AdoptedServerLeases adoptions, TaskInvalidator invalidator) : IEffectExecutor
{
    private readonly List<PeerSendEffect> _refused = [];

    /// <summary>True once the process was suspended: its connections are closed, and another process may have taken its place.</summary>
    public bool IsCutOff { get; set; }

    public void Execute(Effects effects, int queueDepth, DateTimeOffset now)
    {
        if (!IsCutOff)
        {
            foreach (var happened in effects.Events)
            {
                world.InvariantChecker.OnEvent(node, happened);
            }

            foreach (var send in effects.Sends)
            {
                node.Listener.Send(send);
            }

            foreach (var link in effects.PeerLinks)
            {
                links.Change(link);
            }

            foreach (var send in effects.PeerSends)
            {
                node.Log($"tells {send.Peer}", send.Message);
                world.InvariantChecker.Loans.OnPeerSend(node, send);
                if (world.Mutation == Mutation.UnservedTypesNotRequested && send.Message is WorkerRequest && queueDepth <= node.Settings.Balancing.MaxQueueThreshold)
                {
                    continue;
                }

                if (!links.TrySend(send) && send.ExpectsReply)
                {
                    _refused.Add(send);
                }
            }
        }

        foreach (var server in effects.AdoptionRequests)
        {
            adoptions.Acquire(server);
        }

        foreach (var server in effects.LeaseReleases)
        {
            adoptions.Release(server);
        }

        foreach (var task in effects.Invalidations)
        {
            world.InvariantChecker.OnGivenUp(node, task, IsCutOff);
            invalidator.Enqueue(task);
        }

        if (world.Mutation == Mutation.FailuresForgotten)
        {
            foreach (var end in effects.TaskEnds)
            {
                end.Task.ClearFailures();
            }
        }

        foreach (var (request, outcome) in effects.CancelResults.Where(_ => !IsCutOff))
        {
            world.InvariantChecker.Cancels.OnAnswer(node, request, outcome);
            ((ClientCancel)request).Answer(outcome);
        }

        foreach (var (submission, outcome) in effects.SubmissionResults)
        {
            world.InvariantChecker.OnAnswer(node, submission, outcome);
            if (IsCutOff)
            {
                world.Coverage.Count($"frozen server: {outcome}");
            }
            else if (submission is PendingSubmission page)
            {
                page.Complete(outcome);
            }
            else
            {
                ((ClientSubmission)submission).Answer(outcome);
            }
        }

        effects.Clear();
        if (!IsCutOff && node.Core is { } core)
        {
            world.InvariantChecker.GivingWay.OnStep(node, core, now);
        }
    }

    public IReadOnlyList<PeerSendEffect> TakeUnsentRequests()
    {
        if (_refused.Count == 0)
        {
            return [];
        }

        world.Coverage.Count("server: a link's queue is full", _refused.Count);
        var refused = _refused.ToArray();
        _refused.Clear();
        return refused;
    }
}
