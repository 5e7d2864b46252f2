using System.Runtime.CompilerServices;

namespace Thumbnails.Web;

/// <summary>The pictures and their states, in memory, with a feed of their changes. Thread-safe.</summary>
internal sealed class PictureBoard
{
    private readonly Lock _lock = new();
    private readonly Dictionary<string, (Picture Picture, long Version)> _pictures = [];
    private TaskCompletionSource _changed = NewSignal();
    private long _order;
    private long _version;
    private long _removedAt;

    /// <summary>Adds a picture, unless there are <see cref="PictureLimits.MaxPictures"/> unfinished ones or their files are too large together.</summary>
    /// <param name="removed">The oldest finished pictures, which are removed to make room.</param>
    /// <returns>The picture, or null when there is no room.</returns>
    public Picture? Add(string id, string name, long bytes, out IReadOnlyList<Picture> removed)
    {
        lock (_lock)
        {
            var surplus = _pictures.Count + 1 - PictureLimits.MaxPictures;
            var finished = surplus > 0 ? Sorted(picture => picture.IsFinished).Take(surplus).ToList() : [];
            removed = finished;
            if (finished.Count < surplus || _pictures.Values.Where(entry => !entry.Picture.IsFinished).Sum(entry => entry.Picture.Bytes) + bytes > PictureLimits.MaxWaitingBytes)
            {
                removed = [];
                return null;
            }

            RemoveAll(finished);
            var added = new Picture(id, ++_order, name, bytes);
            Set(added);
            return added;
        }
    }

    public Picture? Find(string id)
    {
        lock (_lock)
        {
            return _pictures.TryGetValue(id, out var entry) ? entry.Picture : null;
        }
    }

    /// <summary>Returns the pictures that are not finished, the oldest first.</summary>
    public IReadOnlyList<Picture> Unfinished()
    {
        lock (_lock)
        {
            return [.. Sorted(picture => !picture.IsFinished)];
        }
    }

    /// <summary>Changes a picture that is there and not finished.</summary>
    public void Update(string id, Func<Picture, Picture> change)
    {
        lock (_lock)
        {
            if (_pictures.TryGetValue(id, out var entry) && !entry.Picture.IsFinished && change(entry.Picture) is var changed && changed != entry.Picture)
            {
                Set(changed);
            }
        }
    }

    /// <summary>Removes the pictures that meet the condition, and returns them.</summary>
    public IReadOnlyList<Picture> Remove(Func<Picture, bool> condition)
    {
        lock (_lock)
        {
            var removed = Sorted(condition).ToList();
            RemoveAll(removed);
            return removed;
        }
    }

    /// <summary>Returns all pictures, and then each change. Changes that follow each other quickly are returned together.</summary>
    public async IAsyncEnumerable<PictureChanges> WatchAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var seen = -1L;
        while (true)
        {
            Task next;
            PictureChanges changes;
            lock (_lock)
            {
                var isComplete = seen < _removedAt;
                changes = new(isComplete, [.. Sorted(picture => isComplete || _pictures[picture.Id].Version > seen)]);
                (seen, next) = (_version, _changed.Task);
            }

            yield return changes;
            await next.WaitAsync(cancellationToken);
        }
    }

    private static TaskCompletionSource NewSignal() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    private IEnumerable<Picture> Sorted(Func<Picture, bool> condition) =>
        _pictures.Values.Select(entry => entry.Picture).Where(condition).OrderBy(picture => picture.Order);

    private void Set(Picture picture)
    {
        _pictures[picture.Id] = (picture, ++_version);
        Signal();
    }

    private void RemoveAll(List<Picture> pictures)
    {
        if (pictures.Count > 0)
        {
            foreach (var picture in pictures)
            {
                _pictures.Remove(picture.Id);
            }

            _removedAt = ++_version;
            Signal();
        }
    }

    private void Signal()
    {
        var changed = _changed;
        _changed = NewSignal();
        changed.SetResult();
    }
}
