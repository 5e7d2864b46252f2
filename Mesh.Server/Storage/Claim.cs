using Mesh.Protocol;

namespace Mesh.Server.Storage;

/// <summary>Who serves under a server's id, as the claim tells it to others.</summary>
/// <param name="Server">The id that the process itself is configured with: another one than the claim's has adopted it.</param>
/// <param name="Instance">Unique to the process.</param>
/// <param name="Address">host:port where it is found.</param>
/// <param name="Process">Where and what it runs, for others of the same machine; null where that cannot be told.</param>
internal sealed record ClaimHolder(ServerId Server, string Instance, string Address, ProcessName? Process)
{
    public override string ToString() => $"\"{Server}\" at {Address} (instance {Instance})";
}

/// <summary>A process, told from all others that have run or will run.</summary>
/// <param name="Place">The machine's present run and the process namespace.</param>
/// <param name="Id">The process id in it.</param>
/// <param name="Started">When it started, in the machine's own count.</param>
internal sealed record ProcessName(string Place, int Id, string Started);

internal enum ClaimResult : byte
{
    /// <summary>It is ours.</summary>
    Taken = 1,

    /// <summary>Somebody else has it. An adopter has been told that the owner wants it back.</summary>
    Held,

    /// <summary>Adoption only: no server of this id keeps its state in this store.</summary>
    Unknown,

    /// <summary>Adoption only: there is nothing to adopt.</summary>
    Empty,
}

/// <param name="Epoch">Of <see cref="ClaimResult.Held"/>: which claim it is.</param>
/// <param name="Holder">Of <see cref="ClaimResult.Held"/>: who has it.</param>
internal readonly record struct ClaimAnswer(ClaimResult Result, string? Epoch = null, ClaimHolder? Holder = null);

internal enum ClaimState : byte
{
    /// <summary>Ours, for another while.</summary>
    Held = 1,

    /// <summary>Ours, and the server that we adopted is back and waits for it.</summary>
    Wanted,

    /// <summary>Somebody else has taken it: what we write is refused.</summary>
    Lost,

    /// <summary>This server's own: the store has lost the last of what it had acknowledged.</summary>
    WentBack,
}

/// <summary>Another process has taken this server's claim.</summary>
internal sealed class ClaimLostException(ServerId server, ClaimHolder? holder) : Exception(
    $"Another process serves as \"{server}\" now{(holder is null ? "" : $": {holder}")}. Two cannot serve under one id.");

/// <summary>Another process has this server's claim and keeps it.</summary>
internal sealed class ClaimHeldException(ServerId server, ClaimHolder holder, TimeSpan waited) : Exception(
    $"Mesh__ServerId is \"{server}\", and a process already serves under that id: {holder}. It was waited for for {waited} (Mesh__Claim__WaitLimit). "
    + "Stop the other one, or give each server an id of its own.");
