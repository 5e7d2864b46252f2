using System.Net.Http.Headers;
using System.Net.Sockets;
using Mesh.Protocol;
using Mesh.Transport;

namespace Mesh.Bench.CommandLine;

/// <summary>The address of a running server.</summary>
/// <param name="Url">The HTTP address. Workers connect to the same port.</param>
/// <param name="Token">The shared secret of the server; null for none.</param>
internal sealed record MeasuredServer(Uri Url, string? Token)
{
    // A server that accepts thousands of connections at once answers slowly.
    private static readonly TimeSpan HandshakeTimeout = TimeSpan.FromSeconds(10);

    /// <summary>The address to which workers connect. An IPv6 address has no brackets.</summary>
    public MeshEndpoint Endpoint => new(Url.IdnHost, Url.Port);

    public MeshDialer CreateDialer() => new(new MeshDialerOptions { Token = () => Token, UseTls = Url.Scheme == Uri.UriSchemeHttps, HandshakeTimeout = HandshakeTimeout });

    /// <summary>Returns whether an exception is a connection error, not a programming error.</summary>
    public static bool IsConnectionError(Exception exception) => exception is HttpRequestException or IOException or SocketException or MeshDialException;

    /// <summary>Returns the error as a message for the terminal. It includes the innermost cause, because the outer message may say only that an error occurred.</summary>
    public BenchException ToBenchException(Exception fault)
    {
        var cause = fault.GetBaseException().Message;
        return new BenchException($"{Url}: {fault.Message}{(fault.Message.Contains(cause, StringComparison.Ordinal) ? "" : $" {cause}")}", fault);
    }

    /// <param name="timeout">The timeout of each request.</param>
    public HttpClient CreateClient(TimeSpan timeout)
    {
        var client = new HttpClient { BaseAddress = Url, Timeout = timeout };
        client.DefaultRequestHeaders.Authorization = Token is null ? null : new AuthenticationHeaderValue("Bearer", Token);
        return client;
    }
}
