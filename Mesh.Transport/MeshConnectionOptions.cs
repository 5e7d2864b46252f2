using Mesh.Protocol;

namespace Mesh.Transport;

/// <summary>The options of a connection, dialed or accepted.</summary>
public sealed class MeshConnectionOptions
{
    /// <summary>
    /// The time without input after which a WebSocket is pinged. Together with <see cref="KeepAliveTimeout"/> it limits the time until a half-open connection is noticed.
    /// </summary>
    public static readonly TimeSpan KeepAliveInterval = TimeSpan.FromSeconds(10);

    /// <summary>The time that a ping may wait for its pong.</summary>
    public static readonly TimeSpan KeepAliveTimeout = TimeSpan.FromSeconds(10);

    /// <summary>The maximum number of queued messages, as a multiple of <see cref="OutboxCapacity"/>.</summary>
    public const int OutboxBurstFactor = 4;

    /// <summary>
    /// The number of messages that wait to be sent. A burst may queue more while the peer reads. When the peer reads nothing for <see cref="OutboxStallTimeout"/>, no more
    /// messages are queued. Default: 1024.
    /// </summary>
    public int OutboxCapacity { get; init; } = 1024;

    /// <summary>The time that a write may take while the outbox is full. Default: 1 s.</summary>
    public TimeSpan OutboxStallTimeout { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>The maximum length of a received message, in bytes. Default: <see cref="ProtocolLimits.MaxMessageBytes"/>.</summary>
    public int MaxMessageBytes { get; init; } = ProtocolLimits.MaxMessageBytes;

    /// <summary>The time limit of a graceful close. The connection is aborted after it. Default: 2 s.</summary>
    public TimeSpan CloseTimeout { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>The clock of all time limits. Default: <see cref="TimeProvider.System"/>.</summary>
    public TimeProvider TimeProvider { get; init; } = TimeProvider.System;
}
