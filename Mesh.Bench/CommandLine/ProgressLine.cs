namespace Mesh.Bench.CommandLine;

/// <summary>Shows progress in one line on standard error that each call overwrites. It writes nothing when standard error is redirected. Disposing it ends the line.</summary>
internal sealed class ProgressLine : IDisposable
{
    private readonly Lock _lock = new();
    private int _length;

    /// <summary>Overwrites the line. Thread-safe.</summary>
    public void Show(string text)
    {
        if (!Console.IsErrorRedirected)
        {
            lock (_lock)
            {
                Console.Error.Write($"\r{text.PadRight(_length)}");
                _length = Math.Max(_length, text.Length);
            }
        }
    }

    public void Dispose()
    {
        if (_length > 0)
        {
            Console.Error.WriteLine();
        }
    }
}
