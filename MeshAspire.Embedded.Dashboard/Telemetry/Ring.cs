namespace MeshAspire.Embedded.Dashboard.Telemetry;

/// <summary>The newest items, up to a number, oldest first. Grows as it fills.</summary>
internal sealed class Ring<T>(int capacity)
{
    private T[] _items = new T[Math.Min(16, capacity)];
    private int _first;

    public int Count { get; private set; }

    /// <param name="index">0 is the oldest.</param>
    public T this[int index]
    {
        get
        {
            ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)index, (uint)Count);
            return _items[(_first + index) % _items.Length];
        }
    }

    /// <summary>Adds the item; true with the oldest when that had to go for it.</summary>
    public bool Add(T item, out T? dropped)
    {
        var full = Count == capacity;
        dropped = full ? RemoveOldest() : default;
        if (Count == _items.Length)
        {
            Grow();
        }

        _items[(_first + Count) % _items.Length] = item;
        Count++;
        return full;
    }

    public T RemoveOldest()
    {
        var oldest = this[0];
        _items[_first] = default!;
        _first = (_first + 1) % _items.Length;
        Count--;
        return oldest;
    }

    /// <summary>The newest of them, oldest first.</summary>
    public T[] Newest(int most)
    {
        var result = new T[Math.Min(most, Count)];
        for (var i = 0; i < result.Length; i++)
        {
            result[i] = this[Count - result.Length + i];
        }

        return result;
    }

    private void Grow()
    {
        var larger = new T[Math.Min(capacity, _items.Length * 2)];
        for (var i = 0; i < Count; i++)
        {
            larger[i] = this[i];
        }

        _items = larger;
        _first = 0;
    }
}
