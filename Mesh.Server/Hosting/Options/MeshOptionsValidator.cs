using System.Globalization;
using System.Text;
using Mesh.Accounts;
using Mesh.Protocol;
using Mesh.Server.Core;
using Mesh.Transport;
using Microsoft.Extensions.Options;

namespace Mesh.Server.Hosting.Options;

/// <summary>Finds all faults of a configuration. Each message names the environment variable.</summary>
internal sealed class MeshOptionsValidator(IConfiguration configuration) : IValidateOptions<MeshOptions>
{
    private static readonly TimeSpan Millisecond = TimeSpan.FromMilliseconds(1);

    /// <summary>The size of the longest list of workers (docs/protocol.md, "A loan, step by step").</summary>
    private const int LeastMessageBytes = 16 * 1024;

    /// <summary>Less than 2 s (docs/protocol.md, "The task cycle").</summary>
    private static readonly TimeSpan MaxLineHold = TimeSpan.FromMilliseconds(1_999);

    private static readonly TimeSpan Hour = TimeSpan.FromHours(1);
    private static readonly TimeSpan Month = TimeSpan.FromDays(31);

    public ValidateOptionsResult Validate(string? name, MeshOptions options)
    {
        var faults = new List<string>(options.Unreadable);
        CheckRoot(options, faults);
        CheckPeers(options, faults);
        CheckPeersFromDns(options.PeersFromDns, faults);
        CheckTiming(options.Timing, faults);
        CheckBalancing(options.Balancing, faults);
        CheckTasks(options.Tasks, faults);
        CheckLoans(options.Loans, faults);
        CheckServerLease(options, faults);
        CheckShells(options, faults);
        CheckSessions(options.Sessions, faults);
        CheckAccess(options, faults);
        return faults.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(faults);
    }

    private void CheckRoot(MeshOptions options, List<string> faults)
    {
        if (string.IsNullOrEmpty(options.ServerId))
        {
            faults.Add("Mesh__ServerId is missing: the name of this server in the mesh, such as server-a");
        }
        else
        {
            CheckId("Mesh__ServerId", options.ServerId, faults);
        }

        if (options.Advertise is { } advertise && !(MeshEndpoint.TryParse(advertise, out var endpoint) && !SettingsResolver.IsWildcard(endpoint.Host)))
        {
            faults.Add("Mesh__Advertise must be host:port, such as 127.0.0.1:9001, and not 0.0.0.0 or [::]");
        }

        faults.AddRange(TokensValidator.Check(options));

        if (options.Dashboard is { } dashboard
            && !(Uri.TryCreate(dashboard, UriKind.Absolute, out var url) && url.Scheme is "http" or "https" && url is { Query: "", Fragment: "" }))
        {
            faults.Add("Mesh__Dashboard must be a base URL, such as https://dashboard.example.org");
        }

        if (RedisConnectionString.Check(configuration.GetConnectionString("redis")) is { } fault)
        {
            faults.Add($"ConnectionStrings__redis {fault}");
        }

        Range("Mesh__StopTimeout", options.StopTimeout, TimeSpan.Zero, Hour, faults);
        foreach (var listened in (configuration[WebHostDefaults.ServerUrlsKey] ?? "").Split(';', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))
        {
            if (!CanListenOn(listened))
            {
                faults.Add($"ASPNETCORE_URLS, or --urls, must be addresses such as http://127.0.0.1:9001, not \"{listened}\"");
            }
        }
    }

    private static bool CanListenOn(string url)
    {
        try
        {
            return BindingAddress.Parse(url).Port is >= 0 and <= 65535;
        }
        catch (Exception exception) when (exception is FormatException or InvalidOperationException)
        {
            return false;
        }
    }

    private static void CheckPeers(MeshOptions options, List<string> faults)
    {
        var seen = new HashSet<string>(StringComparer.Ordinal);
        for (var i = 0; i < options.Peers.Count; i++)
        {
            var peer = options.Peers[i];
            var key = $"Mesh__Peers__{i}";
            if (string.IsNullOrEmpty(peer.Id))
            {
                faults.Add($"{key}__Id is missing: the peer's name in the mesh");
            }
            else
            {
                CheckId($"{key}__Id", peer.Id, faults);
                if (!seen.Add(peer.Id))
                {
                    faults.Add($"{key}__Id is also the id of another peer");
                }
            }

            if (string.IsNullOrWhiteSpace(peer.Endpoint))
            {
                faults.Add($"{key}__Endpoint is missing: the peer's host:port, or its service-discovery name such as http://server-b");
            }
            else if (ServiceAddress.Parse(peer.Endpoint) is null)
            {
                faults.Add($"{key}__Endpoint must be {ServiceAddress.ExpectedFormat}");
            }
        }
    }

    private static void CheckPeersFromDns(PeersFromDnsOptions dns, List<string> faults)
    {
        if (dns.Name is { } name && Uri.CheckHostName(name) != UriHostNameType.Dns)
        {
            faults.Add("Mesh__PeersFromDns__Name must be a DNS name without a port, such as mesh-servers");
        }

        Range("Mesh__PeersFromDns__Port", dns.Port, 1, 65_535, faults);
        Range("Mesh__PeersFromDns__Interval", dns.Interval, TimeSpan.FromSeconds(1), Hour, faults);
        Range("Mesh__PeersFromDns__RemoveAfter", dns.RemoveAfter, TimeSpan.Zero, Month, faults);
    }

    private static void CheckTiming(TimingOptions timing, List<string> faults)
    {
        Range("Mesh__Timing__HeartbeatInterval", timing.HeartbeatInterval, Millisecond, Hour, faults);
        Range("Mesh__Timing__HeartbeatTimeout", timing.HeartbeatTimeout, Millisecond, Hour, faults);
        Range("Mesh__Timing__HeartbeatRetries", timing.HeartbeatRetries, 0, 1000, faults);
        Range("Mesh__Timing__HeartbeatRetryDelay", timing.HeartbeatRetryDelay, Millisecond, Hour, faults);
        Range("Mesh__Timing__HeartbeatBackoffFactor", timing.HeartbeatBackoffFactor, 1, 100, faults);
        Range("Mesh__Timing__HeartbeatMaxDelay", timing.HeartbeatMaxDelay, timing.HeartbeatRetryDelay, Hour, faults);
        Range("Mesh__Timing__HeartbeatJitter", timing.HeartbeatJitter, 0, 1, faults);
        Range("Mesh__Timing__LoadBalancerInterval", timing.LoadBalancerInterval, Millisecond, Hour, faults);
        Range("Mesh__Timing__ReplyTimeout", timing.ReplyTimeout, Millisecond, Hour, faults);
        if (timing.HeartbeatTimeout <= timing.HeartbeatInterval)
        {
            faults.Add("Mesh__Timing__HeartbeatTimeout must be longer than Mesh__Timing__HeartbeatInterval");
        }
    }

    private static void CheckBalancing(BalancingOptions balancing, List<string> faults)
    {
        Range("Mesh__Balancing__MaxQueueThreshold", balancing.MaxQueueThreshold, 1, int.MaxValue, faults);
        Range("Mesh__Balancing__MinQueueThreshold", balancing.MinQueueThreshold, 0, int.MaxValue, faults);
        Range("Mesh__Balancing__MinWorkersBeforeSharing", balancing.MinWorkersBeforeSharing, 0, int.MaxValue, faults);
        Range("Mesh__Balancing__ReleaseAfter", balancing.ReleaseAfter, TimeSpan.Zero, Hour, faults);
        if (balancing.MinQueueThreshold >= balancing.MaxQueueThreshold)
        {
            faults.Add("Mesh__Balancing__MinQueueThreshold must be below Mesh__Balancing__MaxQueueThreshold");
        }
    }

    private static void CheckTasks(TasksOptions tasks, List<string> faults)
    {
        Range("Mesh__Tasks__LeaseTime", tasks.LeaseTime, Millisecond, TimeSpan.FromHours(24), faults);
        Range("Mesh__Tasks__MaxAttempts", tasks.MaxAttempts, 1, 1000, faults);
        Range("Mesh__Tasks__RetryDelay", tasks.RetryDelay, TimeSpan.Zero, Hour, faults);
        Range("Mesh__Tasks__RetryMaxDelay", tasks.RetryMaxDelay, tasks.RetryDelay, Hour, faults);
        Range("Mesh__Tasks__MaxPerWorker", tasks.MaxPerWorker, 1, 100_000, faults);
        Range("Mesh__Tasks__SetAsideAfter", tasks.SetAsideAfter, 0, 1000, faults);
        Range("Mesh__Tasks__HoldTime", tasks.HoldTime, Millisecond, Hour, faults);
        if (tasks.HoldTime > ProtocolLimits.MaxHoldTime)
        {
            faults.Add(
                $"Mesh__Tasks__HoldTime must not be longer than {ProtocolLimits.MaxHoldTime}: a worker gives up a server that has not answered its get_task for {ProtocolLimits.PollResponseTimeout}");
        }

        Range("Mesh__Tasks__LineHoldTime", tasks.LineHoldTime, TimeSpan.Zero, MaxLineHold, faults);
        Range("Mesh__Tasks__Capacity", tasks.Capacity, 1, 10_000_000, faults);
        Range("Mesh__Tasks__WorkerGrace", tasks.WorkerGrace, TimeSpan.Zero, Hour, faults);
        Range("Mesh__Tasks__LineWorkerTimeout", tasks.LineWorkerTimeout, Millisecond, Hour, faults);
        if (tasks.LineWorkerTimeout <= tasks.LineHoldTime)
        {
            faults.Add("Mesh__Tasks__LineWorkerTimeout must be longer than Mesh__Tasks__LineHoldTime; otherwise a line worker times out while its get_task is held");
        }

        Range("Mesh__Tasks__MaxPayloadBytes", tasks.MaxPayloadBytes, 1, ProtocolLimits.MaxValueBytes, faults);
        Range("Mesh__Tasks__MaxSchedules", tasks.MaxSchedules, 0, 100_000, faults);
        Range("Mesh__Tasks__MaxWaits", tasks.MaxWaits, 0, 1_000_000, faults);
        Range("Mesh__Tasks__ResultRetention", tasks.ResultRetention, TimeSpan.FromSeconds(1), Month, faults);
        Range("Mesh__Tasks__MarkRetention", tasks.MarkRetention, TimeSpan.FromMinutes(1), Month, faults);
        Range("Mesh__Tasks__PriorityAge", tasks.PriorityAge, TimeSpan.Zero, TimeSpan.FromHours(24), faults);
    }

    private static void CheckLoans(LoansOptions loans, List<string> faults)
    {
        Range("Mesh__Loans__ArrivalTimeout", loans.ArrivalTimeout, Millisecond, Hour, faults);
        Range("Mesh__Loans__ReleaseRetryDelay", loans.ReleaseRetryDelay, Millisecond, Hour, faults);
        Range("Mesh__Loans__ReleaseRetryMaxDelay", loans.ReleaseRetryMaxDelay, loans.ReleaseRetryDelay, Hour, faults);
        Range("Mesh__Loans__ReleaseTries", loans.ReleaseTries, 1, 1000, faults);
        Range("Mesh__Loans__ReturnTimeout", loans.ReturnTimeout, Millisecond, Hour, faults);
        Range("Mesh__Loans__BorrowerLostAfter", loans.BorrowerLostAfter, Millisecond, TimeSpan.FromHours(24), faults);
        Range("Mesh__Loans__MaxAge", loans.MaxAge, Millisecond, Month, faults);
        if (loans.MaxAge <= loans.ArrivalTimeout)
        {
            faults.Add("Mesh__Loans__MaxAge must be longer than Mesh__Loans__ArrivalTimeout; otherwise a loan ends before its worker must have arrived");
        }

        if (loans.MaxAge <= loans.ReturnTimeout)
        {
            faults.Add("Mesh__Loans__MaxAge must be longer than Mesh__Loans__ReturnTimeout; otherwise a loan ends before its worker must be back");
        }
    }

    private static void CheckServerLease(MeshOptions options, List<string> faults)
    {
        var lease = options.Claim;
        Range("Mesh__Claim__Expiry", lease.Expiry, TimeSpan.FromSeconds(1), Hour, faults);
        Range("Mesh__Claim__WaitLimit", lease.WaitLimit, TimeSpan.Zero, TimeSpan.FromHours(24), faults);
        Range("Mesh__Adoption__After", options.Adoption.After, TimeSpan.Zero, Month, faults);
    }

    private static void CheckShells(MeshOptions options, List<string> faults)
    {
        Range("Mesh__Producer__Burst", options.Producer.Burst, 1, 100_000, faults);
        if (options.Producer.Enabled && options.Producer.Burst > options.Tasks.Capacity)
        {
            faults.Add("Mesh__Producer__Burst must not be above Mesh__Tasks__Capacity; otherwise no wave is ever accepted");
        }

        Range("Mesh__Producer__Period", options.Producer.Period, TimeSpan.FromMilliseconds(100), Month, faults);
        Range("Mesh__Supervisor__Interval", options.Supervisor.Interval, TimeSpan.FromMilliseconds(100), Month, faults);
        if (options.Supervisor.Endpoint is { } supervisor && !MeshEndpoint.TryParse(supervisor, out _))
        {
            faults.Add("Mesh__Supervisor__Endpoint must be host:port, such as 127.0.0.1:8000");
        }
    }

    private static void CheckSessions(SessionsOptions sessions, List<string> faults)
    {
        Range("Mesh__Sessions__MaxConnections", sessions.MaxConnections, 1, 1_000_000, faults);
        Range("Mesh__Sessions__MaxConnectionsPerAddress", sessions.MaxConnectionsPerAddress, 1, 1_000_000, faults);
        Range("Mesh__Sessions__MaxWorkers", sessions.MaxWorkers, 1, 1_000_000, faults);
        Range("Mesh__Sessions__IdleTimeout", sessions.IdleTimeout, TimeSpan.FromSeconds(1), Hour, faults);
        Range("Mesh__Sessions__MessageTimeout", sessions.MessageTimeout, TimeSpan.FromSeconds(1), Hour, faults);
        Range("Mesh__Sessions__MaxMessageBytes", sessions.MaxMessageBytes, LeastMessageBytes, ProtocolLimits.MaxMessageBytes, faults);
        Range("Mesh__Sessions__MaxMessagesPerSecond", sessions.MaxMessagesPerSecond, 1, 10_000_000, faults);
        Range("Mesh__Sessions__OutboxCapacity", sessions.OutboxCapacity, 16, 1_000_000, faults);
        Range("Mesh__Sessions__MaxErrors", sessions.MaxErrors, 0, 1_000_000, faults);
        Range("Mesh__Sessions__MaxFailedTokens", sessions.MaxFailedTokens, 1, 1_000_000, faults);
    }

    private static void CheckAccess(MeshOptions options, List<string> faults)
    {
        for (var i = 0; i < options.LinePeers.Allowed.Count; i++)
        {
            if (!AddressRange.TryParse(options.LinePeers.Allowed[i], out _))
            {
                faults.Add($"Mesh__LinePeers__Allowed__{i} must be an IP address or a network such as 10.0.0.0/8");
            }
        }

        for (var i = 0; i < options.Redirect.Allowed.Count; i++)
        {
            if (!EndpointPattern.TryParse(options.Redirect.Allowed[i], out _))
            {
                faults.Add($"Mesh__Redirect__Allowed__{i} must be {EndpointPattern.ExpectedFormat}");
            }
        }

        if (options.Tls.CaFile is { } file && TrustedAuthorities.Check(file) is { } fault)
        {
            faults.Add($"Mesh__Tls__CaFile {fault}");
        }
    }

    private static void CheckId(string key, string id, List<string> faults)
    {
        if (Encoding.UTF8.GetByteCount(id) > ProtocolLimits.MaxIdBytes)
        {
            faults.Add($"{key} is longer than {ProtocolLimits.MaxIdBytes} bytes");
        }
    }

    private static void Range<T>(string key, T value, T least, T most, List<string> faults)
        where T : IComparable<T>, IFormattable
    {
        // NaN compares as less than all other values. This form of the condition refuses it too.
        if (!(value.CompareTo(least) >= 0 && value.CompareTo(most) <= 0))
        {
            faults.Add(string.Create(CultureInfo.InvariantCulture, $"{key} is {value}; it must lie between {least} and {most}"));
        }
    }
}
