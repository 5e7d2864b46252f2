using Mesh.Protocol;

namespace Mesh.Server.Core;

/// <summary>What became of an operator's command to return all borrowed workers: a closed set.</summary>
internal abstract record LoanReturn
{
    private LoanReturn()
    {
    }

    /// <param name="Workers">Those that are being returned; empty when none is borrowed.</param>
    public sealed record Started(IReadOnlyList<WorkerId> Workers) : LoanReturn;

    /// <summary>The store cannot be written: nothing was begun.</summary>
    public sealed record StoreUnavailable : LoanReturn
    {
        public static readonly StoreUnavailable Instance = new();
    }
}
