using Mesh.Protocol;

namespace Mesh.Server.Core;

/// <summary>What became of an operator's command to return all borrowed workers: a closed set.</summary>
internal abstract record LoanReturn
{
    private LoanReturn()
    {
    }

    /// <param name="Workers">Those that are being returned; empty when none is borrowed.</param>
    public sealed record Begun(IReadOnlyList<WorkerId> Workers) : LoanReturn;

    /// <summary>The store cannot be written: nothing was begun.</summary>
    public sealed record StorageAway : LoanReturn
    {
        public static readonly StorageAway Instance = new();
    }
}
