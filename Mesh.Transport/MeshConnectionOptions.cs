using Mesh.Protocol;

namespace Mesh.Transport;

/// <summary>How a connection behaves, dialled or accepted.</summary>
public sealed class MeshConnectionOptions
{
    /// <summary>How long a WebSocket is silent before it is pinged. With <see cref="KeepAliveTimeout"/> it bounds how long a half-open connection goes unnoticed.</summary>
    public static readonly TimeSpan KeepAliveInterval = TimeSpan.FromSeconds(10);

    /// <summary>How long a ping may go without its pong.</summary>
    public static readonly TimeSpan KeepAliveTimeout = TimeSpan.FromSeconds(10);

    /// <summary>Beyond this many times <see cref="OutboxCapacity"/> nothing is queued, whatever the peer takes.</summary>
    public const int OutboxBurstFactor = 4;

    /// <summary>
    /// Messages that wait to be sent. More may gather in a burst, while the peer takes what is sent: one that takes nothing for <see cref="OutboxStallTimeout"/> gets no more. Default: 1024.
    /// </summary>
    public int OutboxCapacity { get; init; } = 1024;

    /// <summary>How long a write may take while the outbox is full. Default: 1 s.</summary>
    public TimeSpan OutboxStallTimeout { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>Longest message taken, in bytes. Default: <see cref="ProtocolLimits.MaxMessageBytes"/>.</summary>
    public int MaxMessageBytes { get; init; } = ProtocolLimits.MaxMessageBytes;

    /// <summary>How long a graceful close may take before it becomes an abort. Default: 2 s.</summary>
    public TimeSpan CloseTimeout { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>Default: <see cref="TimeProvider.System"/>.</summary>
    public TimeProvider TimeProvider { get; init; } = TimeProvider.System;
}
