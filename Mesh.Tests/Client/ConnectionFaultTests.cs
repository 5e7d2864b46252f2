using System.Net;
using System.Net.Sockets;
using System.Text;
using Mesh.Bench.Chaos;
using MeshAspire.Client;
using MeshClient = MeshAspire.Client.MeshClient;

namespace Mesh.Tests.Client;

/// <summary>Faults of real connections: which of them show that a request was not sent.</summary>
public sealed class ConnectionFaultTests
{
    private const string Accepted = "HTTP/1.1 202 Accepted\r\nContent-Length: 2\r\n\r\n{}";

    private static readonly MeshTaskRequest Task1 = new("RESIZE");

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Submit_PortClosed_GoesToTheFallback()
    {
        await using var fallback = new RawServer(Accepted);
        using var http = NewHttp();

        await NewClient(http, $"http://127.0.0.1:{PortAllocator.Next()}", fallback.Address).SubmitAsync(Task1, Stop);

        Assert.Single(fallback.Requests);
    }

    [Fact]
    public async Task Submit_NameUnknown_GoesToTheFallback()
    {
        await using var fallback = new RawServer(Accepted);
        using var http = NewHttp();

        await NewClient(http, "http://server-a.invalid", fallback.Address).SubmitAsync(Task1, Stop);

        Assert.Single(fallback.Requests);
    }

    [Fact]
    public async Task Submit_NoTlsAtTheOtherSide_GoesToTheFallback()
    {
        await using var plain = new RawServer("");
        await using var fallback = new RawServer(Accepted);
        using var http = NewHttp();

        await NewClient(http, plain.Address.Replace("http:", "https:", StringComparison.Ordinal), fallback.Address).SubmitAsync(Task1, Stop);

        Assert.Single(fallback.Requests);
    }

    [Fact]
    public async Task Submit_ClosedAfterTheRequest_RepeatsTheIdAtTheSameServer()
    {
        await using var server = new RawServer("", "", Accepted);
        await using var fallback = new RawServer(Accepted);
        using var http = NewHttp();

        var id = await NewClient(http, server.Address, fallback.Address).SubmitAsync(Task1, Stop);

        Assert.Equal(3, server.Requests.Count);
        Assert.All(server.Requests, request => Assert.Contains(id, request, StringComparison.Ordinal));
        Assert.Empty(fallback.Requests);
    }

    [Fact]
    public async Task Submit_ClosedWithinTheAnswer_RepeatsTheIdAtTheSameServer()
    {
        await using var server = new RawServer("HTTP/1.1 50", "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 100\r\n\r\n{\"accepted\":false", Accepted);
        await using var fallback = new RawServer(Accepted);
        using var http = NewHttp();

        await NewClient(http, server.Address, fallback.Address).SubmitAsync(Task1, Stop);

        Assert.Equal(3, server.Requests.Count);
        Assert.Empty(fallback.Requests);
    }

    private static MeshClient NewClient(HttpClient http, params string[] endpoints)
    {
        var settings = new MeshClientSettings { RetryDelay = TimeSpan.FromMilliseconds(1) };
        Array.ForEach(endpoints, settings.Endpoints.Add);
        return new MeshClient(http, settings);
    }

    private static HttpClient NewHttp() => new(new SocketsHttpHandler());

    /// <summary>Reads one request from each connection, answers with a text, and closes the connection. The last text is repeated.</summary>
    private sealed class RawServer : IAsyncDisposable
    {
        private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
        private readonly List<string> _requests = [];
        private readonly CancellationTokenSource _stop = new();
        private readonly Task _serving;

        public RawServer(params string[] answers)
        {
            _listener.Start();
            _serving = ServeAsync(new(answers));
        }

        public string Address => $"http://{_listener.LocalEndpoint}";

        public IReadOnlyList<string> Requests
        {
            get
            {
                lock (_requests)
                {
                    return [.. _requests];
                }
            }
        }

        public async ValueTask DisposeAsync()
        {
            await _stop.CancelAsync();
            await _serving;
            _listener.Stop();
            _stop.Dispose();
        }

        private async Task ServeAsync(Queue<string> answers)
        {
            try
            {
                while (true)
                {
                    using var socket = await _listener.AcceptSocketAsync(_stop.Token);
                    var request = new StringBuilder();
                    var buffer = new byte[4096];

                    // The body of one task ends with two braces or one, and has no line end.
                    while (!request.ToString().EndsWith('}') && await socket.ReceiveAsync(buffer, _stop.Token) is > 0 and var count)
                    {
                        request.Append(Encoding.Latin1.GetString(buffer, 0, count));
                        if (buffer[0] == 0x16)
                        {
                            // TLS, which this server does not speak.
                            break;
                        }
                    }

                    lock (_requests)
                    {
                        _requests.Add(request.ToString());
                    }

                    await socket.SendAsync(Encoding.ASCII.GetBytes(answers.Count > 1 ? answers.Dequeue() : answers.Peek()));
                }
            }
            catch (Exception exception) when (exception is SocketException or OperationCanceledException)
            {
                // The test has ended.
            }
        }
    }
}
