using System.Buffers;
using System.Globalization;
using System.Text;
using Mesh.Protocol;
using Mesh.Simulation.Time;

namespace Mesh.Simulation;

/// <summary>The last steps of a life as lines, and a digest of all steps. A line is formatted only when it is read.</summary>
/// <param name="capacity">The number of lines that are kept.</param>
/// <param name="digest">True to compute <see cref="Digest"/>, which formats all lines.</param>
internal sealed class StepLog(Scheduler scheduler, int capacity, bool digest)
{
    private readonly (TimeSpan At, string Who, string What, object? Subject)[] _lines = new (TimeSpan, string, string, object?)[capacity];
    private long _count;

    /// <summary>A hash over all lines so far.</summary>
    public ulong Digest { get; private set; } = 14695981039346656037UL;

    /// <param name="who">The node.</param>
    /// <param name="what">What it did, or what happened to it.</param>
    /// <param name="subject">An immutable object that belongs to the step.</param>
    public void Add(string who, string what, object? subject = null)
    {
        var line = (scheduler.Now, who, what, subject);
        _lines[_count++ % capacity] = line;
        if (digest)
        {
            foreach (var character in Format(line))
            {
                Digest = (Digest ^ character) * 1099511628211UL;
            }
        }
    }

    public IReadOnlyList<string> Last()
    {
        var lines = new List<string>();
        for (var i = Math.Max(0, _count - capacity); i < _count; i++)
        {
            lines.Add(Format(_lines[i % capacity]));
        }

        return lines;
    }

    private static string Format((TimeSpan At, string Who, string What, object? Subject) line) => string.Create(
        CultureInfo.InvariantCulture,
        $"{line.At.TotalSeconds,10:0.0000}  {line.Who,-10} {line.What}{(line.Subject is null ? "" : " " + Text(line.Subject))}");

    private static string Text(object subject)
    {
        if (subject is not MeshMessage message)
        {
            return Convert.ToString(subject, CultureInfo.InvariantCulture) ?? "";
        }

        var buffer = new ArrayBufferWriter<byte>(128);
        MessageWriter.Write(buffer, message);
        return Encoding.UTF8.GetString(buffer.WrittenSpan);
    }
}
