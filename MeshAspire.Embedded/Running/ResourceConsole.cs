using System.Text.RegularExpressions;
using Microsoft.Extensions.Logging;

namespace MeshAspire.Embedded.Running;

/// <summary>The one terminal that all resources share: each line begins with whose it is.</summary>
internal sealed partial class ResourceConsole(TextWriter output, bool colour)
{
    private static readonly int[] Palette = [36, 33, 32, 35, 34, 96, 93, 92, 95, 94];

    private readonly Lock _lock = new();
    private readonly Dictionary<string, int> _colours = [];
    private int _width;

    /// <summary>Colours only on a terminal, and never against the wish in NO_COLOR (https://no-color.org).</summary>
    public static bool ColourWanted() =>
        !Console.IsOutputRedirected && string.IsNullOrEmpty(Environment.GetEnvironmentVariable("NO_COLOR"));

    /// <summary>A console that no one sees: what it is given goes to the loggers.</summary>
    public static ResourceConsole Logging(ILoggerFactory loggers, string category)
    {
        var console = new ResourceConsole(TextWriter.Null, colour: false);
        console.Written += (name, text, notice) =>
        {
            var logger = loggers.CreateLogger($"{category}.{name}");
            LogLine(logger, notice ? "> " : "", text);
        };
        return console;
    }

    /// <summary>Makes room for the names before the first line comes.</summary>
    public void Expect(IEnumerable<string> names)
    {
        lock (_lock)
        {
            foreach (var name in names)
            {
                _width = Math.Max(_width, name.Length);
                _colours.TryAdd(name, Palette[_colours.Count % Palette.Length]);
            }
        }
    }

    /// <summary>A line of a resource: its name, the text, and whether it is about the resource, not from it.</summary>
    public event Action<string, string, bool>? Written;

    /// <summary>A line that the resource's own process wrote.</summary>
    public void Line(string name, string text)
    {
        Write(name, "|", Plain(text));
        Written?.Invoke(name, text, false);
    }

    /// <summary>A line about the resource.</summary>
    public void Say(string name, string text)
    {
        Write(name, ">", text);
        Written?.Invoke(name, text, true);
    }

    /// <summary>A line about the application.</summary>
    public void Say(string text)
    {
        lock (_lock)
        {
            output.WriteLine(text);
            output.Flush();
        }
    }

    /// <summary>Of a log line, the message, and its level where that matters: the category and the event's number are for the other logs.</summary>
    internal static string Plain(string line) => LogPrefix().Replace(line, match => match.Groups[1].Value == "info" ? "" : match.Groups[1].Value + ": ", 1);

    [GeneratedRegex(@"^(trce|dbug|info|warn|fail|crit): [^\s\[]+\[\d+\] ")]
    private static partial Regex LogPrefix();

    [LoggerMessage(EventId = 1, EventName = "ResourceLine", Level = LogLevel.Information, Message = "{Notice}{Line}")]
    private static partial void LogLine(ILogger logger, string notice, string line);

    private void Write(string name, string separator, string text)
    {
        lock (_lock)
        {
            var prefix = $"{name.PadRight(_width)} {separator} ";
            output.WriteLine(colour && _colours.TryGetValue(name, out var code) ? $"\e[{code}m{prefix}\e[0m{text}" : prefix + text);
            output.Flush();
        }
    }
}
