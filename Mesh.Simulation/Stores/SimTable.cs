using System.Diagnostics.CodeAnalysis;

namespace Mesh.Simulation.Stores;

/// <summary>Rows by key, in a Redis that can lose their last changes.</summary>
internal sealed class SimTable<TKey, TValue>(SimRedis redis)
    where TKey : notnull
{
    private readonly Dictionary<TKey, TValue> _rows = [];

    public IReadOnlyDictionary<TKey, TValue> Rows => _rows;

    public TValue this[TKey key]
    {
        set
        {
            redis.RecordUndo(_rows.TryGetValue(key, out var before) ? () => _rows[key] = before : () => _rows.Remove(key));
            _rows[key] = value;
        }
    }

    public bool Contains(TKey key) => _rows.ContainsKey(key);

    public bool TryGet(TKey key, [MaybeNullWhen(false)] out TValue value) => _rows.TryGetValue(key, out value);

    public bool Remove(TKey key)
    {
        if (!_rows.Remove(key, out var before))
        {
            return false;
        }

        redis.RecordUndo(() => _rows[key] = before);
        return true;
    }
}
