using Microsoft.AspNetCore.Components;

namespace MeshAspire.Embedded.Dashboard.Live;

/// <summary>A component that shows what changes by itself: on a beat of the <see cref="Pulse"/> it reads anew, if there is news.</summary>
public abstract class LiveComponent : ComponentBase, IDisposable
{
    private long _seen = long.MinValue;
    private int _busy;
    private bool _disposed;

    [Inject]
    internal Pulse Pulse { get; set; } = null!;

    /// <summary>Changes when there is something new to show.</summary>
    protected abstract long Version { get; }

    /// <summary>Takes what is to be shown out of the stores.</summary>
    protected abstract void Read();

    protected override void OnInitialized() => Pulse.Beat += OnBeat;

    protected override void OnParametersSet() => ReadNow();

    /// <summary>For a change of what the person wants to see.</summary>
    protected void ReadNow()
    {
        _seen = Version;
        Read();
    }

    public void Dispose()
    {
        Dispose(disposing: true);
        GC.SuppressFinalize(this);
    }

    protected virtual void Dispose(bool disposing)
    {
        _disposed = true;
        Pulse.Beat -= OnBeat;
    }

    private void OnBeat()
    {
        // A page that is still drawing the last beat's news leaves this one out.
        if (Version != Volatile.Read(ref _seen) && Interlocked.Exchange(ref _busy, 1) == 0)
        {
            _ = DrawAsync();
        }
    }

    private async Task DrawAsync()
    {
        try
        {
            await InvokeAsync(() =>
            {
                if (!_disposed)
                {
                    ReadNow();
                    StateHasChanged();
                }
            });
        }
        catch (ObjectDisposedException)
        {
            // The page was left meanwhile.
        }
        finally
        {
            Volatile.Write(ref _busy, 0);
        }
    }
}
