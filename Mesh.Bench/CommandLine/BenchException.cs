namespace Mesh.Bench.CommandLine;

/// <summary>A run cannot continue or a check has failed. The message is printed on the terminal.</summary>
internal sealed class BenchException(string message, Exception? innerException = null) : Exception(message, innerException);
