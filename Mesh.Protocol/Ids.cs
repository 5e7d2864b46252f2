namespace Mesh.Protocol;

/// <summary>A worker's UUID: any non-empty string up to <see cref="ProtocolLimits.MaxIdBytes"/> bytes of UTF-8, never parsed.</summary>
public readonly record struct WorkerId(string Value)
{
    public override string ToString() => Value;
}

/// <summary>A server's UUID: any non-empty string up to <see cref="ProtocolLimits.MaxIdBytes"/> bytes of UTF-8, never parsed.</summary>
public readonly record struct ServerId(string Value)
{
    public override string ToString() => Value;
}

/// <summary>The TASK_ID of a task on the wire, unique over all servers and all time.</summary>
public readonly record struct TaskId(string Value)
{
    public override string ToString() => Value;
}
