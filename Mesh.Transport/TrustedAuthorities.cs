using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Mesh.Transport;

/// <summary>Loads the certificate authorities from the PEM file that Mesh__Tls__CaFile names.</summary>
public static class TrustedAuthorities
{
    /// <summary>Returns the fault of the file, as words that follow its name. Returns null when it is valid.</summary>
    public static string? Check(string file)
    {
        try
        {
            return Load(file)!.Count == 0 ? "contains no certificate: it must be a PEM file" : null;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or CryptographicException or ArgumentException)
        {
            return $"cannot be read: {exception.Message}";
        }
    }

    /// <summary>Returns the certificates in the file. Returns null when no file is configured.</summary>
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
