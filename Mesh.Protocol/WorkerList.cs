using System.Collections;
using System.Runtime.CompilerServices;

namespace Mesh.Protocol;

/// <summary>WORKERS_UUID: an immutable list of workers. Two lists are equal when they contain the same workers in the same order.</summary>
[CollectionBuilder(typeof(WorkerList), nameof(Create))]
public readonly struct WorkerList : IReadOnlyList<WorkerId>, IEquatable<WorkerList>
{
    /// <summary>
    /// The maximum length of the workers of one message, in bytes of JSON: a quarter of <see cref="ProtocolLimits.MaxMessageBytes"/>, minus the other fields.
    /// </summary>
    private const int MaxBytes = 15 * 1024;

    /// <summary>The bytes of the quotes, the comma and the space.</summary>
    private const int BytesBetween = 4;

    /// <summary>The bytes of a code unit that is escaped as \u and four digits.</summary>
    private const int BytesEscaped = 6;

    private readonly WorkerId[]? _items;

    private WorkerList(WorkerId[] items) => _items = items;

    public int Count => _items?.Length ?? 0;

    public WorkerId this[int index] => (_items ?? [])[index];

    /// <summary>Returns the number of workers, from the first on, that fit into one message. At least one.</summary>
    public static int CountFittingOneMessage(IEnumerable<WorkerId> workers)
    {
        var (count, bytes) = (0, 0);
        foreach (var worker in workers)
        {
            bytes += BytesBetween;
            foreach (var unit in worker.Value)
            {
                bytes += char.IsAsciiLetterOrDigit(unit) || unit is '-' or '_' or '.' or ':' ? 1 : BytesEscaped;
            }

            if (bytes > MaxBytes && count > 0)
            {
                break;
            }

            count++;
        }

        return count;
    }

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
