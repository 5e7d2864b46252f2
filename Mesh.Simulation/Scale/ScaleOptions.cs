namespace Mesh.Simulation.Scale;

/// <summary>The size of a mesh and of its hot spot.</summary>
/// <param name="Servers">At least 2.</param>
/// <param name="Workers">The number of workers of each server, at least 1.</param>
/// <param name="Peers">The number of servers that each server knows, at least 1.</param>
/// <param name="Tasks">The number of tasks that one server gets at once.</param>
public sealed record ScaleOptions(int Servers, int Workers, int Peers = 8, int Tasks = 50_000);
