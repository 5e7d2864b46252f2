using System.Security.Cryptography;
using System.Text;
using Mesh.Protocol;

namespace Mesh.Server.Core.Tasks;

/// <summary>The TASK_ID of a follow-up, a task that another task submits with its result (docs/protocol.md, "Tasks of any type").</summary>
internal static class FollowUpId
{
    private const int Bytes = 16;

    /// <summary>
    /// Returns the first 32 hexadecimal digits of the SHA-256 of "TASK_ID.index". A task that runs again derives the same ids, so that its follow-ups are accepted once.
    /// </summary>
    /// <param name="index">The index of the follow-up in THEN.</param>
    public static TaskId Of(TaskId parent, int index)
    {
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(Encoding.UTF8.GetBytes($"{parent.Value}.{index}"), hash);
        return new TaskId(Convert.ToHexStringLower(hash[..Bytes]));
    }
}
