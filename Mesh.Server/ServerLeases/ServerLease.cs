using Mesh.Protocol;

namespace Mesh.Server.ServerLeases;

/// <summary>Who serves under a server's id, as the claim tells it to others.</summary>
/// <param name="Server">The id that the process itself is configured with: another one than the claim's has adopted it.</param>
/// <param name="Instance">Unique to the process.</param>
/// <param name="Address">host:port where it is found.</param>
/// <param name="Process">Where and what it runs, for others of the same machine; null where that cannot be told.</param>
internal sealed record ServerLeaseHolder(ServerId Server, string Instance, string Address, ProcessIdentity? Process)
{
    public override string ToString() => $"\"{Server}\" at {Address} (instance {Instance})";
}

/// <summary>A process, told from all others that have run or will run.</summary>
/// <param name="Place">The machine's present run and the process namespace.</param>
/// <param name="Id">The process id in it.</param>
/// <param name="Started">When it started, in the machine's own count.</param>
internal sealed record ProcessIdentity(string Place, int Id, string Started);

internal enum ServerLeaseAcquireStatus : byte
{
    /// <summary>It is ours.</summary>
    Acquired = 1,

    /// <summary>Somebody else has it. An adopter has been told that the owner wants it back.</summary>
    Held,

    /// <summary>Adoption only: no server of this id keeps its state in this store.</summary>
    Unknown,

    /// <summary>Adoption only: there is nothing to adopt.</summary>
    Empty,
}

/// <param name="FencingToken">Of <see cref="ServerLeaseAcquireStatus.Held"/>: which claim it is.</param>
/// <param name="Holder">Of <see cref="ServerLeaseAcquireStatus.Held"/>: who has it.</param>
internal readonly record struct ServerLeaseAcquireResult(ServerLeaseAcquireStatus Result, string? FencingToken = null, ServerLeaseHolder? Holder = null);

internal enum ServerLeaseRenewStatus : byte
{
    /// <summary>Ours, for another while.</summary>
    Held = 1,

    /// <summary>Ours, and the server that we adopted is back and waits for it.</summary>
    HandbackRequested,

    /// <summary>Somebody else has taken it: what we write is refused.</summary>
    Lost,

    /// <summary>This server's own: the store has lost the last of what it had acknowledged.</summary>
    StoreRolledBack,
}

/// <summary>Another process has taken this server's claim.</summary>
internal sealed class ServerLeaseLostException(ServerId server, ServerLeaseHolder? holder) : Exception(
    $"Another process serves as \"{server}\" now{(holder is null ? "" : $": {holder}")}. Two cannot serve under one id.");

/// <summary>Another process has this server's claim and keeps it.</summary>
internal sealed class ServerLeaseHeldException(ServerId server, ServerLeaseHolder holder, TimeSpan waited) : Exception(
    $"Mesh__ServerId is \"{server}\", and a process already serves under that id: {holder}. It was waited for for {waited} (Mesh__Claim__WaitLimit). "
    + "Stop the other one, or give each server an id of its own.");
