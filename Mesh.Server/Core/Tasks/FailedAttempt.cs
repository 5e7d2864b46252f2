using Mesh.Protocol;

namespace Mesh.Server.Core;

/// <summary>The last failed attempt of one worker at a task.</summary>
/// <param name="Started">When the worker was given the task.</param>
/// <param name="Failed">When the attempt ended without success.</param>
internal readonly record struct FailedAttempt(WorkerId Worker, DateTimeOffset Started, DateTimeOffset Failed);
