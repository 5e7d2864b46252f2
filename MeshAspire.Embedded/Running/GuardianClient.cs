using System.Diagnostics;
using Aspire.Hosting;

namespace MeshAspire.Embedded.Running;

/// <summary>The AppHost's side of the <see cref="Guardian"/>: tells it what runs, and replaces it should it die.</summary>
internal sealed class GuardianClient : IDisposable
{
    private readonly Lock _lock = new();
    private readonly HashSet<int> _pids = [];
    private readonly HashSet<string> _directories = [];
    private Process? _process;
    private bool _ended;

    /// <summary>Names this run, in the environment of all its processes.</summary>
    public string Run { get; } = Guid.NewGuid().ToString("N");

    public int? ProcessId => _process?.Id;

    public void Start()
    {
        lock (_lock)
        {
            if (!_ended)
            {
                Launch();
            }
        }
    }

    public void Started(int pid)
    {
        lock (_lock)
        {
            _pids.Add(pid);
            Tell($"+{pid}");
        }
    }

    public void Ended(int pid)
    {
        lock (_lock)
        {
            _pids.Remove(pid);
            Tell($"-{pid}");
        }
    }

    /// <summary>A directory that must not outlive the run.</summary>
    public void DeleteAtEnd(string directory)
    {
        lock (_lock)
        {
            _directories.Add(directory);
            Tell($"~{directory}");
        }
    }

    /// <summary>Ends the guardian, which on its way cleans up what is left.</summary>
    public void Dispose()
    {
        Process? process;
        lock (_lock)
        {
            _ended = true;
            process = _process;
            _process = null;
        }

        if (process is not null)
        {
            Close(process);
            process.WaitForExit(TimeSpan.FromSeconds(5));
            process.Dispose();
        }
    }

    private static void Close(Process process)
    {
        try
        {
            process.StandardInput.Close();
        }
        catch (IOException)
        {
            // It is gone already.
        }
    }

    private void Launch()
    {
        var assembly = typeof(Guardian).Assembly.Location;
        var start = new ProcessStartInfo(DotNet.Path) { RedirectStandardInput = true };
        if (!OperatingSystem.IsWindows() && DotNet.OnPath("setsid") is { } setsid)
        {
            // The terminal's Ctrl-C and hang-up are not for it.
            start.FileName = setsid;
            start.ArgumentList.Add(DotNet.Path);
        }

        start.ArgumentList.Add(assembly);
        start.ArgumentList.Add(Run);
        // What runs already it knows from birth: this process may be killed before it can tell.
        foreach (var line in _pids.Select(pid => $"+{pid}").Concat(_directories.Select(directory => $"~{directory}")))
        {
            start.ArgumentList.Add(line);
        }

        start.Environment["DOTNET_TieredPGO"] = "0";
        var process = Process.Start(start) ?? throw new DistributedApplicationException($"{DotNet.Path} can't be started.");
        process.Exited += (_, _) => Start();
        process.EnableRaisingEvents = true;
        _process = process;
    }

    private void Tell(string line)
    {
        try
        {
            _process?.StandardInput.WriteLine(line);
            _process?.StandardInput.Flush();
        }
        catch (IOException)
        {
            // It died; its successor is told all.
        }
    }
}
