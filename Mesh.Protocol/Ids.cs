namespace Mesh.Protocol;

/// <summary>A worker's UUID: any non-empty string of up to <see cref="ProtocolLimits.MaxIdBytes"/> bytes of UTF-8. It is not parsed.</summary>
public readonly record struct WorkerId(string Value)
{
    public override string ToString() => Value;
}

/// <summary>A server's UUID: any non-empty string of up to <see cref="ProtocolLimits.MaxIdBytes"/> bytes of UTF-8. It is not parsed.</summary>
public readonly record struct ServerId(string Value)
{
    public override string ToString() => Value;
}

/// <summary>The TASK_ID of a task in the protocol. It is unique across all servers and never reused.</summary>
public readonly record struct TaskId(string Value)
{
    public override string ToString() => Value;
}
