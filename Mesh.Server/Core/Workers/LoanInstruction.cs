namespace Mesh.Server.Core;

/// <summary>What a loan has to say to a worker that asks for a task.</summary>
internal enum LoanInstruction : byte
{
    /// <summary>Nothing: it may have a task.</summary>
    None = 1,

    /// <summary>Its order has been sent.</summary>
    Sent,

    /// <summary>An order is coming, or was just given: neither a task nor an answer now.</summary>
    Wait,
}
