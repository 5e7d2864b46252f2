using System.Net.Http.Headers;
using System.Net.Sockets;
using Mesh.Protocol;
using Mesh.Transport;

namespace Mesh.Bench.CommandLine;

/// <summary>A running server, and how to reach it.</summary>
/// <param name="Url">Its HTTP address; the port serves workers too.</param>
/// <param name="Token">Its shared secret; null for none.</param>
internal sealed record MeasuredServer(Uri Url, string? Token)
{
    // One that takes up thousands of connections at once takes its time.
    private static readonly TimeSpan HandshakeTimeout = TimeSpan.FromSeconds(10);

    /// <summary>Where workers connect. An IPv6 address has no brackets here.</summary>
    public MeshEndpoint Endpoint => new(Url.IdnHost, Url.Port);

    public MeshDialer CreateDialer() => new(new MeshDialerOptions { Token = () => Token, UseTls = Url.Scheme == Uri.UriSchemeHttps, HandshakeTimeout = HandshakeTimeout });

    /// <summary>Whether a call failed for want of a server, or of sockets, rather than by a mistake of this program.</summary>
    public static bool IsConnectionError(Exception exception) => exception is HttpRequestException or IOException or SocketException or MeshDialException;

    /// <summary>The fault in words. The cause of one that was "an error" is within.</summary>
    public BenchException ToBenchException(Exception fault)
    {
        var cause = fault.GetBaseException().Message;
        return new BenchException($"{Url}: {fault.Message}{(fault.Message.Contains(cause, StringComparison.Ordinal) ? "" : $" {cause}")}", fault);
    }

    /// <param name="timeout">Of one request.</param>
    public HttpClient CreateClient(TimeSpan timeout)
    {
        var client = new HttpClient { BaseAddress = Url, Timeout = timeout };
        client.DefaultRequestHeaders.Authorization = Token is null ? null : new AuthenticationHeaderValue("Bearer", Token);
        return client;
    }
}
