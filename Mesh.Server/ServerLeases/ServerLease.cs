using Mesh.Protocol;

namespace Mesh.Server.ServerLeases;

/// <summary>The process that holds a server lease, as described in the lease record to other processes.</summary>
/// <param name="Server">The id that the process is configured with. It differs from the id of the lease when the process has adopted that server.</param>
/// <param name="Instance">An id that is unique to the process.</param>
/// <param name="Address">The host:port of the process.</param>
/// <param name="Process">The identity of the process, for other processes of the same machine. Null where processes cannot be identified.</param>
internal sealed record ServerLeaseHolder(ServerId Server, string Instance, string Address, ProcessIdentity? Process)
{
    public override string ToString() => $"\"{Server}\" at {Address} (instance {Instance})";
}

/// <summary>Identifies a process uniquely, even if its process id is used again.</summary>
/// <param name="Place">The boot id of the machine and the process namespace.</param>
/// <param name="Id">The process id in that namespace.</param>
/// <param name="Started">The start time of the process, in the kernel's clock ticks.</param>
internal sealed record ProcessIdentity(string Place, int Id, string Started);

internal enum ServerLeaseAcquireStatus : byte
{
    /// <summary>This process has the lease.</summary>
    Acquired = 1,

    /// <summary>Another process has the lease. If that process adopted the server and the owner requests the lease, the request to hand it back is stored.</summary>
    Held,

    /// <summary>Only for adoption: no server with this id stores its state here.</summary>
    Unknown,

    /// <summary>Only for adoption: the server has no tasks and no dead letters.</summary>
    Empty,
}

/// <param name="FencingToken">The fencing token of the other process. Set for <see cref="ServerLeaseAcquireStatus.Held"/>.</param>
/// <param name="Holder">The other process. Set for <see cref="ServerLeaseAcquireStatus.Held"/>.</param>
internal readonly record struct ServerLeaseAcquireResult(ServerLeaseAcquireStatus Result, string? FencingToken = null, ServerLeaseHolder? Holder = null);

internal enum ServerLeaseRenewStatus : byte
{
    /// <summary>The lease is renewed.</summary>
    Held = 1,

    /// <summary>The lease is renewed. It is the lease of an adopted server, which has started again and waits for it.</summary>
    HandbackRequested,

    /// <summary>Another process has the lease. All writes of this process are refused.</summary>
    Lost,

    /// <summary>Only for this server's own lease: the store has lost changes that it had acknowledged.</summary>
    StoreRolledBack,
}

/// <summary>Thrown when another process has acquired this server's lease.</summary>
internal sealed class ServerLeaseLostException(ServerId server, ServerLeaseHolder? holder) : Exception(
    $"Another process serves as \"{server}\" now{(holder is null ? "" : $": {holder}")}. Only one process can serve under a server id.");

/// <summary>Thrown when another process holds this server's lease and did not release it in time.</summary>
internal sealed class ServerLeaseHeldException(ServerId server, ServerLeaseHolder holder, TimeSpan waited) : Exception(
    $"Mesh__ServerId is \"{server}\", and a process already serves under that id: {holder}. It did not end within {waited} (Mesh__Claim__WaitLimit). "
    + "Stop the other process, or give each server its own id.");
