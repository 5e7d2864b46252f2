using System.Collections;
using System.Runtime.CompilerServices;

namespace Mesh.Protocol;

/// <summary>WORKERS_UUID: an immutable list of workers, equal to another with the same workers in the same order.</summary>
[CollectionBuilder(typeof(WorkerList), nameof(Create))]
public readonly struct WorkerList : IReadOnlyList<WorkerId>, IEquatable<WorkerList>
{
    private readonly WorkerId[]? _items;

    private WorkerList(WorkerId[] items) => _items = items;

    public int Count => _items?.Length ?? 0;

    public WorkerId this[int index] => (_items ?? [])[index];

    public static WorkerList Create(ReadOnlySpan<WorkerId> items) => new(items.ToArray());

    public static bool operator ==(WorkerList left, WorkerList right) => left.Equals(right);

    public static bool operator !=(WorkerList left, WorkerList right) => !left.Equals(right);

    public ReadOnlySpan<WorkerId> AsSpan() => _items;

    public bool Equals(WorkerList other) => AsSpan().SequenceEqual(other.AsSpan());

    public override bool Equals(object? obj) => obj is WorkerList other && Equals(other);

    public override int GetHashCode()
    {
        var hash = default(HashCode);
        foreach (var item in AsSpan())
        {
            hash.Add(item);
        }

        return hash.ToHashCode();
    }

    public override string ToString() => string.Join(", ", this);

    public IEnumerator<WorkerId> GetEnumerator() => ((IEnumerable<WorkerId>)(_items ?? [])).GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();
}
