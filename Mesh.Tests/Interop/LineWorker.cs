using System.Collections.Concurrent;
using System.Text.Json.Nodes;

namespace Mesh.Tests.Interop;

/// <summary>
/// A worker of another implementation (docs/protocol.md, "Transport"). It polls, handles QUERY only, stops at any other message, sends its home only when
/// away, and goes home on a RETURN to its configured address or when its current server cannot be reached.
/// </summary>
internal sealed class LineWorker : IAsyncDisposable
{
    private static readonly TimeSpan Poll = TimeSpan.FromMilliseconds(150);

    private readonly string _id;
    private readonly (string Id, string Host, int Port) _home;
    private readonly CancellationTokenSource _stop = new();
    private readonly Task _run;
    private (string Host, int Port) _at;

    public LineWorker(string id, string homeId, string homeHost, int homePort)
    {
        (_id, _home) = (id, (homeId, homeHost, homePort));
        _at = (homeHost, homePort);
        _run = RunAsync();
    }

    /// <summary>Its steps, in order: "QUERY at 9001", "REDIRECT to 9002", "stalled by …".</summary>
    public ConcurrentQueue<string> Story { get; } = new();

    private bool IsHome => _at == (_home.Host, _home.Port);

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _run.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _stop.Dispose();
    }

    private async Task RunAsync()
    {
        while (!_stop.IsCancellationRequested)
        {
            var ask = new JsonObject { ["WORKER"] = "ALIVE", ["WORKER_UUID"] = _id };
            if (!IsHome)
            {
                ask["SERVER_UUID"] = _home.Id;
            }

            var reply = await LinePeer.AskAsync(_at.Host, _at.Port, ask, _stop.Token);
            await HearAsync(reply);
            await Task.Delay(Poll, TimeProvider.System, _stop.Token);
        }
    }

    private async Task HearAsync(JsonNode? reply)
    {
        switch ((string?)reply?["TASK"])
        {
            case null when !IsHome:
                Story.Enqueue($"lost {_at.Port}");
                _at = (_home.Host, _home.Port);
                break;
            case null or "NO_TASK":
                break;
            case "QUERY":
                Story.Enqueue($"QUERY at {_at.Port}");
                var status = new JsonObject { ["STATUS"] = "OK", ["TASK"] = "QUERY", ["WORKER_UUID"] = _id };
                var ack = await LinePeer.AskAsync(_at.Host, _at.Port, status, _stop.Token);
                Story.Enqueue((string?)ack?["STATUS"] == "ACK" ? "ACK" : $"no ACK but {ack}");
                break;
            case "REDIRECT":
                var target = reply!["SERVER_REDIRECT"]!;
                _at = ((string)target["ip"]!, (int)target["port"]!);
                Story.Enqueue($"REDIRECT to {_at.Port}");
                break;
            case "RETURN":
                var home = reply!["SERVER_RETURN"]!;
                if ((string)home["ip"]! == _home.Host && (int)home["port"]! == _home.Port)
                {
                    Story.Enqueue("RETURN");
                    _at = (_home.Host, _home.Port);
                }
                else
                {
                    Story.Enqueue($"RETURN to a strange address {home}");
                }

                break;
            default:
                Story.Enqueue($"stalled by {reply}");
                await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, _stop.Token);
                break;
        }
    }
}
