namespace Mesh.Protocol;

/// <summary>The type of a task. QUERY and UPDATE in the protocol.</summary>
public enum TaskType : byte
{
    /// <summary>Reads an account's balance.</summary>
    Query = 1,

    /// <summary>Adds an amount to an account's balance.</summary>
    Update = 2,
}

/// <summary>A set of <see cref="TaskType"/>.</summary>
[Flags]
public enum TaskTypes : byte
{
    None = 0,
    Query = 1,
    Update = 2,
    All = Query | Update,
}

/// <summary>STATUS of an attempt: OK or NOK.</summary>
public enum TaskOutcome : byte
{
    Ok = 1,
    Nok = 2,
}

/// <summary>The framing of messages on a connection (docs/protocol.md, "Transport").</summary>
public enum Framing : byte
{
    /// <summary>Each text message is one object.</summary>
    WebSocket = 1,

    /// <summary>Each line is one object.</summary>
    Line = 2,
}

/// <summary>LOAD: the number of tasks in a server's queue, and of its workers that are at home and have no task.</summary>
public readonly record struct ServerLoad(int Queue, int Idle);
