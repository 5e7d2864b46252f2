using MeshAspire.Embedded.Dashboard;
using MeshAspire.Embedded.Running;

namespace Aspire.Hosting.ApplicationModel;

/// <summary>The commands that every resource has.</summary>
public static class KnownResourceCommands
{
    public static readonly string StartCommand = "start";
    public static readonly string StopCommand = "stop";
    public static readonly string RestartCommand = "restart";
}

public sealed class ExecuteCommandResult
{
    public required bool Success { get; init; }

    /// <summary>What went wrong.</summary>
    public string? Message { get; init; }
}

/// <summary>Carries out commands on resources.</summary>
public class ResourceCommandService
{
    private readonly Orchestrator _orchestrator;

    internal ResourceCommandService(Orchestrator orchestrator) => _orchestrator = orchestrator;

    /// <summary>Stops, starts or restarts a replica. Returns once a process that was to end has ended.</summary>
    /// <param name="resourceId">The replica's id, or the resource's name where it has one replica.</param>
    /// <param name="commandName">One of <see cref="KnownResourceCommands"/>.</param>
    /// <param name="cancellationToken">Ends the wait, not the command.</param>
    public async Task<ExecuteCommandResult> ExecuteCommandAsync(string resourceId, string commandName, CancellationToken cancellationToken = default)
    {
        if (_orchestrator.Find(resourceId) is not { } replica)
        {
            return new() { Success = false, Message = $"Resource '{resourceId}' not found." };
        }

        return await ExecuteAsync([replica], commandName, cancellationToken);
    }

    /// <summary>The same on each replica of the resource.</summary>
    public Task<ExecuteCommandResult> ExecuteCommandAsync(IResource resource, string commandName, CancellationToken cancellationToken = default) =>
        ExecuteAsync(_orchestrator.ReplicasOf(resource), commandName, cancellationToken);

    private static async Task<ExecuteCommandResult> ExecuteAsync(IReadOnlyList<Replica> replicas, string commandName, CancellationToken cancellationToken)
    {
        FeedAction? action = commandName switch
        {
            "start" => FeedAction.Start,
            "stop" => FeedAction.Stop,
            "restart" => FeedAction.Restart,
            _ => null,
        };
        if (action is not { } known || replicas.Count == 0 || !replicas[0].TakesCommands)
        {
            return new() { Success = false, Message = $"Command '{commandName}' not available{(replicas.Count == 0 ? "" : $" for resource '{replicas[0].Resource.Name}'")}." };
        }

        await Task.WhenAll(replicas.Select(replica => replica.ExecuteAsync(known, cancellationToken)));
        return new() { Success = true };
    }
}
