using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Mesh.Tests.Server.Sessions;

/// <summary>A certificate authority for one test. Its certificate and the certificates that it issues are files.</summary>
internal sealed class TestAuthority : IDisposable
{
    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("mesh-ca-");
    private readonly X509Certificate2 _authority;

    public TestAuthority()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=Mesh test authority", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(certificateAuthority: true, hasPathLengthConstraint: false, 0, critical: true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign, critical: true));
        request.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(request.PublicKey, critical: false));
        var now = TimeProvider.System.GetUtcNow();
        _authority = request.CreateSelfSigned(now.AddDays(-1), now.AddDays(1));
        System.IO.File.WriteAllText(File, _authority.ExportCertificatePem());
    }

    public string File => Path.Combine(_directory.FullName, "ca.pem");

    /// <summary>The configuration of a server that listens with TLS on a free port of loopback.</summary>
    /// <param name="host">The host name of the certificate.</param>
    public (string Key, string Value)[] Serve(string host = "127.0.0.1")
    {
        var (certificate, key) = Issue(host);
        return
        [
            ("Kestrel:Endpoints:mesh:Url", "https://127.0.0.1:0"),
            ("Kestrel:Endpoints:mesh:Certificate:Path", certificate),
            ("Kestrel:Endpoints:mesh:Certificate:KeyPath", key),
        ];
    }

    public void Dispose()
    {
        _authority.Dispose();
        _directory.Delete(recursive: true);
    }

    private (string Certificate, string Key) Issue(string host)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest($"CN={host}", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        if (IPAddress.TryParse(host, out var address))
        {
            names.AddIpAddress(address);
        }
        else
        {
            names.AddDnsName(host);
        }

        request.CertificateExtensions.Add(names.Build());
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new Oid("1.3.6.1.5.5.7.3.1")], critical: false));
        using var certificate = request.Create(_authority, _authority.NotBefore, _authority.NotAfter, RandomNumberGenerator.GetBytes(8));
        var (path, keyPath) = (Path.Combine(_directory.FullName, $"{host}.pem"), Path.Combine(_directory.FullName, $"{host}.key"));
        System.IO.File.WriteAllText(path, certificate.ExportCertificatePem());
        System.IO.File.WriteAllText(keyPath, key.ExportPkcs8PrivateKeyPem());
        return (path, keyPath);
    }
}
