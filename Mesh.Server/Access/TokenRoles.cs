using Mesh.Protocol;

namespace Mesh.Server.Access;

/// <summary>What the holder of a token may do.</summary>
[Flags]
internal enum TokenRoles
{
    None = 0,

    /// <summary>The HTTP API and the map.</summary>
    Client = 1,

    /// <summary>The messages of workers.</summary>
    Worker = 2,

    /// <summary>The messages of servers to one another.</summary>
    Peer = 4,

    All = Client | Worker | Peer,
}

internal static class TokenRolesExtensions
{
    /// <summary>The role that a message takes; none for one that nobody is refused for.</summary>
    public static TokenRoles RoleOf(this MeshMessage message) => message switch
    {
        GetTask or Mesh.Protocol.TaskStatus => TokenRoles.Worker,
        Heartbeat or WorkerRequest or CommandRelease or ReleaseCompleted => TokenRoles.Peer,
        _ => TokenRoles.None,
    };
}
