using System.Security.Cryptography;
using System.Text;
using Mesh.Protocol;

namespace Mesh.Server.Access;

/// <summary>A token that is accepted, by its hash, and what its holder may do.</summary>
internal sealed class TokenGrant(string token, TokenRoles roles)
{
    /// <summary>Of those who need no token: all are served, or the address is one that may speak lines.</summary>
    public static TokenGrant Anonymous { get; } = new("", TokenRoles.All);

    public byte[] Hash { get; } = HashOf(token);

    public TokenRoles Roles { get; } = roles;

    /// <summary>Whether the holder may send this, and the role that it takes.</summary>
    public bool Permits(MeshMessage message, out TokenRoles role)
    {
        role = message.RoleOf();
        return (role & ~Roles) == 0;
    }

    public static byte[] HashOf(string token) => SHA256.HashData(Encoding.UTF8.GetBytes(token));
}
