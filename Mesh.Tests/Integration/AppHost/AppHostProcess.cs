using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using Mesh.Tests.Publishing;

namespace Mesh.Tests.Integration.AppHost;

/// <summary>The AppHost as a process of its own, as <c>dotnet run</c> starts it. Disposing it kills the process.</summary>
internal sealed class AppHostProcess : IAsyncDisposable
{
    public const int Interrupt = 2;
    public const int Kill = 9;
    public const int Terminate = 15;

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(120);

    private readonly ConcurrentQueue<string> _output = new();
    private readonly Process _process;
    private readonly bool _isGroup;
    private readonly string _token = Guid.NewGuid().ToString("N");

    public AppHostProcess(params string[] arguments)
        : this(
            // A background job of a shell script ignores SIGINT, and its child processes inherit that.
            new ProcessStartInfo("env", ["--default-signal=INT", "dotnet", BuildOutput.AppHost, .. arguments])
            {
                WorkingDirectory = Path.GetDirectoryName(BuildOutput.AppHost),
                Environment =
                {
                    [AppHostPorts.Key] = AppHostPorts.Next(),
                    // The values of the launch profile.
                    ["ASPNETCORE_URLS"] = "http://localhost:15888",
                    ["ASPIRE_ALLOW_UNSECURED_TRANSPORT"] = "true",
                    ["ASPIRE_DASHBOARD_OTLP_ENDPOINT_URL"] = "http://localhost:19001",
                    ["ASPIRE_RESOURCE_SERVICE_ENDPOINT_URL"] = "http://localhost:20001",
                },
            },
            isGroup: false)
    {
    }

    /// <param name="isGroup">Whether the process leads a process group, to which signals are sent as a terminal does.</param>
    private AppHostProcess(ProcessStartInfo start, bool isGroup)
    {
        _isGroup = isGroup;
        (start.RedirectStandardOutput, start.RedirectStandardError) = (true, true);

        // Each process that it starts inherits this variable.
        start.Environment["Parameters__mesh-token"] = _token;
        _process = Process.Start(start)!;
        _process.OutputDataReceived += Keep;
        _process.ErrorDataReceived += Keep;
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();
    }

    /// <summary>Starts an AppHost by a shell block of a documentation page.</summary>
    public static AppHostProcess OfBlock(string block, string directory, Dictionary<string, string> environment)
    {
        var start = new ProcessStartInfo("env", ["--default-signal=INT", "setsid", "bash", "-euo", "pipefail", "-c", block]) { WorkingDirectory = directory };
        foreach (var (key, value) in environment)
        {
            start.Environment[key] = value;
        }

        return new(start, isGroup: true);
    }

    public string Output => string.Join('\n', _output);

    /// <summary>Waits until the console has a line with this text. Fails when the AppHost ends before.</summary>
    /// <param name="after">The number of such lines to skip.</param>
    public async Task<string> LineAsync(string text, int after = 0)
    {
        var line = await Eventually.GetAsync(
            $"a line with \"{text}\" on the console of the AppHost",
            () => Task.FromResult(LinesWith(text).Skip(after).FirstOrDefault() ?? (_process.HasExited ? "" : null)),
            line => line is not null,
            Patience,
            () => Output);
        Assert.True(line!.Length > 0, $"The AppHost ended before it wrote \"{text}\":\n{Output}");
        return line;
    }

    /// <summary>The lines of the console so far that contain this text.</summary>
    public IEnumerable<string> LinesWith(string text) => _output.Where(line => line.Contains(text, StringComparison.Ordinal));

    public async Task<int> ExitAsync()
    {
        await Eventually.HoldsAsync("the AppHost's end", () => _process.HasExited, Patience, () => $"{string.Join('\n', Started())}\n{Output}");
        return _process.ExitCode;
    }

    public void Signal(int signal) => Assert.Equal(0, SendSignal(_isGroup ? -_process.Id : _process.Id, signal));

    /// <summary>Waits until the AppHost and all processes that it has started have ended.</summary>
    public Task GoneAsync() => Eventually.HoldsAsync(
        "the end of all processes", () => Started().Count == 0, Patience, () => $"{string.Join('\n', Started())}\n{Output}");

    /// <summary>The command lines of the AppHost and of all that it has started.</summary>
    public List<string> Started() => [.. Directories().Select(process => Read($"{process}/cmdline").Replace('\0', ' '))];

    /// <summary>The id of the process with this environment variable, which the AppHost has started.</summary>
    public int ProcessWith(string name, string value) => int.Parse(
        Path.GetFileName(Directories().Single(process => Read($"{process}/environ").Split('\0').Contains($"{name}={value}"))), CultureInfo.InvariantCulture);

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
        {
            Signal(Kill);
        }

        await _process.WaitForExitAsync();
        _process.Dispose();
        await GoneAsync();
    }

    private void Keep(object sender, DataReceivedEventArgs line)
    {
        if (line.Data is not null)
        {
            _output.Enqueue(line.Data);
        }
    }

    /// <summary>The directories in /proc of the AppHost and of all that it has started.</summary>
    private IEnumerable<string> Directories() =>
        Directory.EnumerateDirectories("/proc").Where(process => Read($"{process}/environ").Contains(_token, StringComparison.Ordinal));

    private static string Read(string file)
    {
        try
        {
            return File.ReadAllText(file);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return "";
        }
    }

    [DllImport("libc", EntryPoint = "kill", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.System32)]
    private static extern int SendSignal(int pid, int signal);
}
