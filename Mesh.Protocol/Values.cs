namespace Mesh.Protocol;

/// <summary>STATUS of an attempt.</summary>
public enum TaskOutcome : byte
{
    /// <summary>OK: the attempt succeeded.</summary>
    Ok = 1,

    /// <summary>NOK: the attempt failed.</summary>
    Nok = 2,

    /// <summary>RUNNING: the attempt goes on. The status renews the task lease.</summary>
    Running = 3,
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
