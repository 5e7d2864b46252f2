namespace Mesh.Server.Core;

/// <summary>What a loan has to say to a worker that asks for a task.</summary>
internal enum DeskOrder : byte
{
    /// <summary>Nothing: it may have a task.</summary>
    None = 1,

    /// <summary>Its order has been sent.</summary>
    Given,

    /// <summary>An order is coming, or was just given: neither a task nor an answer now.</summary>
    Wait,
}
