using Mesh.Server.Api;
using Mesh.Server.Core.Tasks;
using Mesh.Server.Loop;
using Mesh.Server.Storage;
using Mesh.Simulation.Checks;

namespace Mesh.Simulation.Nodes;

/// <summary>Handles the requests for all dead letters in one process of a server, as its endpoints do.</summary>
internal sealed class DeadLetterApi(SimWorld world, ServerNode node, IMeshStore store, CoreInputQueue inputs)
{
    /// <summary>The requests without an answer, with the tasks that handle them.</summary>
    private readonly List<(DeadLetterRequest Request, Task Handling)> _open = [];

    /// <summary>Handles a request. Called in the context of the process.</summary>
    public void Begin(DeadLetterRequest request)
    {
        var handling = HandleAsync(request);
        if (!handling.IsCompleted)
        {
            _open.Add((request, handling));
        }
    }

    /// <summary>Answers nothing to the open requests. Called when the process has ended.</summary>
    public void End()
    {
        foreach (var (request, _) in _open.ToArray())
        {
            request.Answer(null);
        }

        _open.Clear();
    }

    private async Task HandleAsync(DeadLetterRequest request)
    {
        BulkChangeResult? result = null;
        var (existing, stops) = (world.InvariantChecker.DeadLetters.Existing(node, request.Type), node.Store.Redis.StopCount);
        try
        {
            var change = new DeadLetterBulkChange(store, page => SubmitAsync(request, page), Math.Min(request.WriteSize, node.Settings.Tasks.Capacity));
            result = request.Revive is { } revive
                ? await change.RetryAsync(request.Type, revive, CancellationToken.None)
                : await change.DeleteAsync(request.Type, CancellationToken.None);
            if (result is { EndedBy: null } && node.Store.Redis.StopCount == stops)
            {
                DeadLetterCheck.OnCompleted(node, existing);
            }
        }
        catch (StoreUnavailableException)
        {
            world.Coverage.Count("dead letters: the store does not answer");
        }
#pragma warning disable CA1031 // The loop ends with it.
        catch (Exception exception)
#pragma warning restore CA1031
        {
            await inputs.PostAsync(new(LoopInputKind.Faulted) { Subject = exception });
        }

        _open.RemoveAll(open => open.Request == request);
        request.Answer(result);
    }

    private Task<SubmitOutcome> SubmitAsync(DeadLetterRequest request, PendingSubmission page)
    {
        DeadLetterCheck.OnPage(request.Type, page);
        world.Coverage.Count("dead letters: a page against an adopter", page.Tasks.Any(task => task.StoredBy is not null) ? 1 : 0);
        world.TriggeredFaults.OnDeadLetterPage(node);
        return inputs.SubmitAsync(page);
    }
}
