using Mesh.Protocol;

namespace Mesh.Server.Access;

/// <summary>What a token permits.</summary>
[Flags]
internal enum TokenRoles
{
    None = 0,

    /// <summary>The HTTP API and the map.</summary>
    Client = 1,

    /// <summary>The messages of workers.</summary>
    Worker = 2,

    /// <summary>The messages of servers.</summary>
    Peer = 4,

    All = Client | Worker | Peer,
}

internal static class TokenRolesExtensions
{
    /// <summary>Returns the role that a message needs. <see cref="TokenRoles.None"/> for a message that needs none.</summary>
    public static TokenRoles RoleOf(this MeshMessage message) => message switch
    {
        GetTask or Mesh.Protocol.TaskStatus => TokenRoles.Worker,
        Heartbeat or WorkerRequest or CommandRelease or ReleaseCompleted => TokenRoles.Peer,
        _ => TokenRoles.None,
    };
}
