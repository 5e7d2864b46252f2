namespace Mesh.Server.Core;

/// <summary>One accepted connection, numbered by this process and never reused.</summary>
internal readonly record struct SessionId(long Value);
