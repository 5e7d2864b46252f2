using Mesh.Protocol;
using Mesh.Server.Api;
using Mesh.Server.Core.Tasks;

namespace Mesh.Simulation.Nodes;

/// <summary>A client's request to retry or delete all dead letters.</summary>
/// <param name="Type">Only dead letters of this type, or null for all.</param>
/// <param name="Revive">Returns a dead letter as a new task, to retry it. Null to delete the dead letters.</param>
/// <param name="WriteSize">The number of dead letters in one write.</param>
/// <param name="Answer">Gets the result, or null when there is none.</param>
internal sealed record DeadLetterRequest(TaskType? Type, Func<TaskRecord, TaskRecord>? Revive, int WriteSize, Action<BulkChangeResult?> Answer);
