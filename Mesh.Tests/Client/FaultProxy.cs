using Mesh.Bench.Chaos;

namespace Mesh.Tests.Client;

/// <summary>
/// A proxy before a server that loses requests and answers at random, and delays answers. So a client cannot know whether the server has received a request whose answer is
/// missing.
/// </summary>
internal sealed class FaultProxy : IAsyncDisposable
{
    private readonly Lock _lock = new();
    private readonly Random _random;
    private readonly TcpProxy _proxy;

    public FaultProxy(int port, int targetPort, int seed)
    {
        _random = new Random(seed);
        _proxy = new TcpProxy($"the network before port {targetPort}", port, targetPort, Decide);
        Open();
    }

    public string Address => $"http://127.0.0.1:{_proxy.Port}";

    /// <summary>Whether faults are injected.</summary>
    public bool Injects { get; set; }

    /// <summary>The number of requests that were lost before the server received them.</summary>
    public int LostRequests { get; private set; }

    /// <summary>The number of answers that were lost after the server had processed the request.</summary>
    public int LostAnswers { get; private set; }

    public int DelayedAnswers { get; private set; }

    /// <summary>Accepts connections.</summary>
    public void Open() => _proxy.Start();

    /// <summary>Refuses connections until <see cref="Open"/>, and resets those that exist.</summary>
    public Task CloseAsync() => _proxy.StopAsync();

    public ValueTask DisposeAsync() => _proxy.DisposeAsync();

    private TimeSpan? Decide(bool isAnswer)
    {
        lock (_lock)
        {
            if (!Injects)
            {
                return TimeSpan.Zero;
            }

            switch (_random.Next(100))
            {
                case < 3 when isAnswer:
                    LostAnswers++;
                    return null;
                case < 2:
                    LostRequests++;
                    return null;
                case < 4 when isAnswer:
                    DelayedAnswers++;
                    return TimeSpan.FromMilliseconds(_random.Next(1_500));
                default:
                    return TimeSpan.Zero;
            }
        }
    }
}
