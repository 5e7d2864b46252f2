namespace Mesh.Protocol;

/// <summary>What a task does. On the wire QUERY and UPDATE.</summary>
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

/// <summary>How messages are cut on a connection (docs/protocol.md, "Transport").</summary>
public enum Framing : byte
{
    /// <summary>One text message is one object.</summary>
    WebSocket = 1,

    /// <summary>One object per line.</summary>
    Line = 2,
}

/// <summary>LOAD: tasks that wait in a server's queue, and its workers at home without a task.</summary>
public readonly record struct ServerLoad(int Queue, int Idle);
