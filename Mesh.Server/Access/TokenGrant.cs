using System.Security.Claims;
using System.Security.Cryptography;
using System.Text;
using Mesh.Protocol;

namespace Mesh.Server.Access;

/// <summary>An accepted token, stored as its hash, and the roles that it permits.</summary>
internal sealed class TokenGrant(string token, TokenRoles roles)
{
    /// <summary>The grant of connections that need no token: no token is configured, or their address is allowed to use the line protocol.</summary>
    public static TokenGrant Anonymous { get; } = new("", TokenRoles.All);

    public byte[] Hash { get; } = HashOf(token);

    public TokenRoles Roles { get; } = roles;

    /// <summary>The user of a request with this token. The role claims are <see cref="Roles"/>.</summary>
    public ClaimsPrincipal Principal { get; } = new(new ClaimsIdentity(
        from role in new[] { TokenRoles.Client, TokenRoles.Worker, TokenRoles.Peer }
        where roles.HasFlag(role)
        select new Claim(ClaimTypes.Role, role.ToString()), TokenAuthenticationHandler.SchemeName));

    /// <summary>Returns whether the roles permit a message, and the role that it needs.</summary>
    public bool Permits(MeshMessage message, out TokenRoles role)
    {
        role = message.RoleOf();
        return (role & ~Roles) == 0;
    }

    public static byte[] HashOf(string token) => SHA256.HashData(Encoding.UTF8.GetBytes(token));
}

/// <summary>The roles that a token permits.</summary>
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
