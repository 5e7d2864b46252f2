using System.Security.Cryptography;
using System.Text;

namespace MeshAspire.Embedded.Dashboard.Access;

/// <summary>A secret that is compared in a time that says nothing about it.</summary>
internal sealed class Secret
{
    private readonly byte[] _hash;
    private readonly byte[] _key;

    public Secret(string text)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(text);
        _key = Encoding.UTF8.GetBytes(text);
        _hash = SHA256.HashData(_key);
    }

    public bool Is(string? other) =>
        other is { Length: > 0 and <= 512 } && CryptographicOperations.FixedTimeEquals(SHA256.HashData(Encoding.UTF8.GetBytes(other)), _hash);

    /// <summary>Another secret, that doesn't tell this one, and is the same after a restart.</summary>
    public string Derive(string purpose) => Convert.ToHexStringLower(HMACSHA256.HashData(_key, Encoding.UTF8.GetBytes(purpose)));

    public static string Generate() => Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(16));
}
