using System.Collections;

namespace Mesh.Protocol;

/// <summary>A set of task types. Immutable, and equal by content.</summary>
public sealed class TaskTypeSet : IReadOnlyList<TaskType>, IEquatable<TaskTypeSet>
{
    /// <summary>The set without types.</summary>
    public static readonly TaskTypeSet Empty = new([]);

    /// <summary>The set of a worker that sends no TASKS: QUERY only.</summary>
    public static readonly TaskTypeSet QueryOnly = new([TaskType.Query]);

    private readonly TaskType[] _types;
    private readonly int _hash;

    private TaskTypeSet(TaskType[] types)
    {
        _types = types;
        var hash = default(HashCode);
        foreach (var type in types)
        {
            hash.Add(type);
        }

        _hash = hash.ToHashCode();
    }

    public int Count => _types.Length;

    public TaskType this[int index] => _types[index];

    /// <summary>Creates a set. The types are sorted by name, and repeated ones are removed.</summary>
    public static TaskTypeSet Of(IEnumerable<TaskType> types)
    {
        TaskType[] sorted = [.. types.Distinct().OrderBy(type => type.Name, StringComparer.Ordinal)];
        return sorted.Length == 0 ? Empty : new(sorted);
    }

    /// <inheritdoc cref="Of(IEnumerable{TaskType})"/>
    public static TaskTypeSet Of(params TaskType[] types) => Of(types.AsEnumerable());

    public bool Contains(TaskType type)
    {
        foreach (var own in _types)
        {
            if (own == type)
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>Returns whether the sets have a type in common.</summary>
    public bool Overlaps(TaskTypeSet other)
    {
        foreach (var type in _types)
        {
            if (other.Contains(type))
            {
                return true;
            }
        }

        return false;
    }

    public ReadOnlySpan<TaskType> AsSpan() => _types;

    public bool Equals(TaskTypeSet? other) => ReferenceEquals(this, other) || (other is not null && _hash == other._hash && AsSpan().SequenceEqual(other.AsSpan()));

    public override bool Equals(object? obj) => Equals(obj as TaskTypeSet);

    public override int GetHashCode() => _hash;

    public override string ToString() => string.Join(", ", _types);

    public IEnumerator<TaskType> GetEnumerator() => ((IEnumerable<TaskType>)_types).GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();
}
