using Mesh.Protocol;
using Mesh.Server.Core;

namespace Mesh.Server.Hosting.Options;

internal static class SettingsMapping
{
    /// <summary>What the core is told of the options, once the addresses are known.</summary>
    public static ServerSettings ToSettings(this MeshOptions options, MeshEndpoint advertise, IReadOnlyList<PeerSettings> peers) => new()
    {
        Id = new ServerId(options.ServerId!),
        Advertise = advertise,
        Peers = peers,
        Heartbeat = new()
        {
            Interval = options.Timing.HeartbeatInterval,
            Timeout = options.Timing.HeartbeatTimeout,
            Retries = options.Timing.HeartbeatRetries,
            RetryDelay = options.Timing.HeartbeatRetryDelay,
            BackoffFactor = options.Timing.HeartbeatBackoffFactor,
            MaxDelay = options.Timing.HeartbeatMaxDelay,
            Jitter = options.Timing.HeartbeatJitter,
            ReplyTimeout = options.Timing.ReplyTimeout,
        },
        Balancing = new()
        {
            Interval = options.Timing.LoadBalancerInterval,
            MaxQueueThreshold = options.Balancing.MaxQueueThreshold,
            MinQueueThreshold = options.Balancing.MinQueueThreshold,
            MinWorkersBeforeSharing = options.Balancing.MinWorkersBeforeSharing,
            ReleaseAfter = options.Balancing.ReleaseAfter,
        },
        Tasks = new()
        {
            LeaseTime = options.Tasks.LeaseTime,
            MaxAttempts = options.Tasks.MaxAttempts,
            RetryDelay = options.Tasks.RetryDelay,
            RetryMaxDelay = options.Tasks.RetryMaxDelay,
            MaxPerWorker = options.Tasks.MaxPerWorker,
            SetAsideAfter = options.Tasks.SetAsideAfter,
            HoldTime = options.Tasks.HoldTime,
            LineHoldTime = options.Tasks.LineHoldTime,
            Capacity = options.Tasks.Capacity,
            MaxWorkers = options.Sessions.MaxWorkers,
            WorkerGrace = options.Tasks.WorkerGrace,
            LineWorkerTimeout = options.Tasks.LineWorkerTimeout,
        },
        AdoptAfter = options.Adoption.After > TimeSpan.Zero ? options.Adoption.After : null,
        Loans = new()
        {
            ArrivalTimeout = options.Loans.ArrivalTimeout,
            ReleaseRetryDelay = options.Loans.ReleaseRetryDelay,
            ReleaseRetryMaxDelay = options.Loans.ReleaseRetryMaxDelay,
            ReleaseTries = options.Loans.ReleaseTries,
            ReturnTimeout = options.Loans.ReturnTimeout,
            BorrowerLostAfter = options.Loans.BorrowerLostAfter,
            MaxAge = options.Loans.MaxAge,
        },
        Redirects = EndpointPatterns.Of(options.Redirect.Allowed),
    };
}
