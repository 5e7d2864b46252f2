namespace Mesh.Bench.CommandLine;

/// <summary>One line of a terminal, on the error stream, that is written over and over; nothing where that is no terminal. Disposing ends the line.</summary>
internal sealed class ProgressLine : IDisposable
{
    private readonly Lock _lock = new();
    private int _length;

    /// <summary>Safe from any thread.</summary>
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
