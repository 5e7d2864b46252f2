using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Net.WebSockets;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using Mesh.Protocol;

namespace Mesh.Transport;

/// <summary>Establishes connections to peers, as WebSockets or line connections.</summary>
public sealed class MeshDialer(MeshDialerOptions options)
{
    private const string Path = "/mesh";

    /// <summary>Returns a dialer with the same options except TLS.</summary>
    public MeshDialer WithTls(bool useTls) => useTls == options.UseTls ? this : new(options with { UseTls = useTls });

    /// <summary>Establishes a connection to a peer.</summary>
    /// <exception cref="MeshDialException">No connection was established.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    public async Task<MeshConnection> DialAsync(MeshEndpoint endpoint, Framing framing, CancellationToken cancellationToken)
    {
        var socket = await ConnectAsync(endpoint, cancellationToken);
        try
        {
            Stream stream = new NetworkStream(socket, ownsSocket: true);
            if (options.UseTls)
            {
                stream = await EncryptAsync(stream, endpoint, cancellationToken);
            }

            return framing switch
            {
                Framing.Line => new LineConnection(new StreamDuplexPipe(stream), endpoint.ToString(), options.Connection, socket.Dispose),
                Framing.WebSocket => await OpenWebSocketAsync(socket, new BatchingStream(stream), endpoint, cancellationToken),
                _ => throw new ArgumentOutOfRangeException(nameof(framing), framing, "No framing"),
            };
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    private async Task<Socket> ConnectAsync(MeshEndpoint endpoint, CancellationToken cancellationToken)
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        using var limit = new TimeoutScope(options.ConnectTimeout, options.Connection.TimeProvider, cancellationToken);
        try
        {
            KeepAlive(socket);
            await socket.ConnectAsync(endpoint.Host, endpoint.Port, limit.Token);
            return socket;
        }
        catch (Exception exception)
        {
            socket.Dispose();
            if (limit.IsTimeout(exception))
            {
                throw new MeshDialException(MeshDialFailure.Timeout, $"{endpoint} did not accept a connection within {options.ConnectTimeout}", exception);
            }

            if (exception is SocketException)
            {
                throw new MeshDialException(MeshDialFailure.Unreachable, $"{endpoint} cannot be reached: {exception.Message}", exception);
            }

            throw;
        }
    }

    private async Task<SslStream> EncryptAsync(Stream stream, MeshEndpoint endpoint, CancellationToken cancellationToken)
    {
        var tls = new SslStream(stream);
        using var limit = new TimeoutScope(options.ConnectTimeout, options.Connection.TimeProvider, cancellationToken);
        try
        {
            var trust = new X509ChainPolicy { RevocationMode = X509RevocationMode.NoCheck };
            if (options.TrustedAuthorities is { } authorities)
            {
                trust.TrustMode = X509ChainTrustMode.CustomRootTrust;
                trust.CustomTrustStore.AddRange(authorities);
            }

            await tls.AuthenticateAsClientAsync(new SslClientAuthenticationOptions { TargetHost = endpoint.Host, CertificateChainPolicy = trust }, limit.Token);
            return tls;
        }
        catch (Exception exception) when (exception is AuthenticationException or IOException || limit.IsTimeout(exception))
        {
            await tls.DisposeAsync();
            var why = limit.IsTimeout(exception) ? $"no handshake within {options.ConnectTimeout}" : exception.Message;
            throw new MeshDialException(MeshDialFailure.Unreachable, $"The TLS handshake with {endpoint} failed: {why}", exception);
        }
    }

    // The stream is connected before it is passed to the HTTP stack. A failure is then known to be one of TCP, of TLS or of the WebSocket handshake, and the writes of the
    // WebSocket can be combined. The HTTP stack uses the stream without TLS of its own.
    private async Task<WebSocketConnection> OpenWebSocketAsync(Socket socket, BatchingStream stream, MeshEndpoint endpoint, CancellationToken cancellationToken)
    {
        using var handler = new SocketsHttpHandler
        {
            ConnectCallback = (_, _) => new(stream),
            UseProxy = false,
            UseCookies = false,
            AllowAutoRedirect = false,
            ActivityHeadersPropagator = null,
        };
        using var invoker = new HttpMessageInvoker(handler);
        using var limit = new TimeoutScope(options.HandshakeTimeout, options.Connection.TimeProvider, cancellationToken);
        var client = new ClientWebSocket();
        client.Options.CollectHttpResponseDetails = true;
        client.Options.KeepAliveInterval = MeshConnectionOptions.KeepAliveInterval;
        client.Options.KeepAliveTimeout = MeshConnectionOptions.KeepAliveTimeout;
        if (options.Token?.Invoke() is { } token)
        {
            client.Options.SetRequestHeader("Authorization", $"Bearer {token}");
        }

        try
        {
            var uri = new Uri($"ws://{endpoint}{Path}");
            await client.ConnectAsync(uri, invoker, limit.Token);
            return new WebSocketConnection(client, endpoint.ToString(), options.Connection, stream, socket.Dispose);
        }
        catch (Exception exception)
        {
            var status = client.HttpStatusCode;
            client.Dispose();
            if (exception is WebSocketException or UriFormatException || limit.IsTimeout(exception))
            {
                throw new MeshDialException(FailureOf(status), $"{endpoint} did not open a WebSocket: {Describe(status)}", exception);
            }

            throw;
        }
    }

    private static MeshDialFailure FailureOf(HttpStatusCode status) => status switch
    {
        HttpStatusCode.Unauthorized or HttpStatusCode.Forbidden => MeshDialFailure.Refused,
        HttpStatusCode.TooManyRequests or >= HttpStatusCode.InternalServerError => MeshDialFailure.Unreachable,
        _ => MeshDialFailure.NotWebSocket,
    };

    private static string Describe(HttpStatusCode status) => status == 0 ? "no HTTP response" : $"HTTP {(int)status}";

    // The line protocol has no pings.
    private static void KeepAlive(Socket socket)
    {
        socket.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.KeepAlive, true);
        socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveTime, (int)MeshConnectionOptions.KeepAliveInterval.TotalSeconds);
        socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveInterval, (int)MeshConnectionOptions.KeepAliveInterval.TotalSeconds);
        socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveRetryCount, 2);
    }
}
