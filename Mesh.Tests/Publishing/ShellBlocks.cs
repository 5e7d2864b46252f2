using System.Collections.Concurrent;
using System.Diagnostics;
using System.Text.RegularExpressions;
using Mesh.Bench.Chaos;

namespace Mesh.Tests.Publishing;

/// <summary>The shell blocks of a section of a documentation page, run as a reader types them.</summary>
internal sealed partial class ShellBlocks : IAsyncDisposable
{
    /// <summary>The first line of a block whose program runs until it is interrupted.</summary>
    public const string Stays = "# Runs until you press Ctrl-C.";

    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(10);

    private readonly ConcurrentQueue<string> _output = new();
    private readonly List<Process> _running = [];
    private readonly Dictionary<string, string> _environment;
    private readonly string _prologue;
    private readonly string _directory;

    /// <param name="environment">Variables of each block.</param>
    /// <param name="prologue">Shell code that is run before each block, such as functions that stand for programs.</param>
    /// <param name="directory">The working directory; null for the repository.</param>
    public ShellBlocks(Dictionary<string, string> environment, string prologue = "", string? directory = null)
    {
        Assert.SkipUnless(ExecutableFinder.Find(["bash"]) is not null, "bash is not on the PATH.");
        (_environment, _prologue, _directory) = (environment, prologue, directory ?? BuildOutput.Source(""));
    }

    public string Output => string.Join('\n', _output);

    /// <summary>The blocks of one section, in order.</summary>
    /// <param name="language">The language of the blocks.</param>
    public static IReadOnlyList<string> Of(string page, string heading, string language = "sh")
    {
        var text = File.ReadAllText(BuildOutput.Source(page));
        var start = Regex.Match(text, $"^#+ {Regex.Escape(heading)}$", RegexOptions.Multiline);
        Assert.True(start.Success, $"{page} has no section \"{heading}\".");
        var section = Fence().Split(text[(start.Index + start.Length)..]);

        // Odd parts are the blocks' texts; a heading in an even part ends the section.
        var blocks = new List<string>();
        for (var i = 0; i + 1 < section.Length && !Heading().IsMatch(section[i]); i += 2)
        {
            if (section[i + 1].StartsWith($"{language}\n", StringComparison.Ordinal))
            {
                blocks.Add(section[i + 1][(language.Length + 1)..]);
            }
        }

        return blocks;
    }

    /// <summary>Runs a block to its end; fails when it does, or when one of its commands does.</summary>
    public async Task RunAsync(string block)
    {
        var process = Start(block);
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        limit.CancelAfter(Limit);
        await process.WaitForExitAsync(limit.Token);
        Assert.True(process.ExitCode == 0, $"Exit code {process.ExitCode} of:\n{block}\n{Output}");
    }

    /// <summary>Starts a block that stays, which runs until this object is disposed.</summary>
    public Process Start(string block)
    {
        // A process group of its own: what the block starts ends with it.
        var start = new ProcessStartInfo("setsid", ["bash", "-euo", "pipefail", "-c", $"{_prologue}\n{block}"])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = _directory,
        };
        foreach (var (key, value) in _environment)
        {
            start.Environment[key] = value;
        }

        var process = Process.Start(start)!;
        process.OutputDataReceived += Keep;
        process.ErrorDataReceived += Keep;
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        _running.Add(process);
        return process;
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var process in _running)
        {
            if (!process.HasExited)
            {
                process.Kill(entireProcessTree: true);
            }

            await process.WaitForExitAsync();
            process.Dispose();
        }
    }

    private void Keep(object sender, DataReceivedEventArgs line)
    {
        if (line.Data is not null)
        {
            _output.Enqueue(line.Data);
        }
    }

    [GeneratedRegex("^```", RegexOptions.Multiline)]
    private static partial Regex Fence();

    [GeneratedRegex("^#", RegexOptions.Multiline)]
    private static partial Regex Heading();
}
