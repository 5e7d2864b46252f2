namespace Mesh.Bench.Chaos;

/// <summary>The run can't go on, or a promise is broken; the message says which.</summary>
internal sealed class ChaosException(string message) : Exception(message);
