namespace Mesh.Bench.CommandLine;

/// <summary>The run can't go on, or a promise is broken; the message says which, in words for the terminal.</summary>
internal sealed class BenchException(string message, Exception? innerException = null) : Exception(message, innerException);
