using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Mesh.Transport;

/// <summary>The PEM file that Mesh__Tls__CaFile names.</summary>
public static class TrustedAuthorities
{
    /// <summary>What is wrong with the file, as the rest of a sentence; null when it can be used.</summary>
    public static string? Check(string file)
    {
        try
        {
            return Load(file)!.Count == 0 ? "has no certificate in it: it must be a PEM file" : null;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or CryptographicException or ArgumentException)
        {
            return $"cannot be read: {exception.Message}";
        }
    }

    /// <summary>The certificates in the file; null without a file.</summary>
    public static X509Certificate2Collection? Load(string? file)
    {
        if (file is null)
        {
            return null;
        }

        var authorities = new X509Certificate2Collection();
        authorities.ImportFromPemFile(file);
        return authorities;
    }
}
