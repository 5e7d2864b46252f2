using System.Diagnostics;
using MeshAspire.Embedded.Running;

namespace Mesh.Tests.Embedded;

/// <summary>The guardian on its own: whom it ends and whom it spares once its AppHost is gone.</summary>
public sealed class GuardianTests : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly List<Process> _started = [];

    [Fact]
    public async Task AppHost_GoneBeforeItTellsAnything_WhatRanIsEnded()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Starts sleep");
        var told = Bystander();
        var spared = Bystander();
        await GuardAsync([$"+{told.Id}"], []);
        await ExitAsync(told);
        Assert.False(spared.HasExited);
    }

    [Fact]
    public async Task AppHost_Gone_EndsWhatItToldOfAndSparesWhatHadEnded()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Starts sleep");
        var told = Bystander();
        var ended = Bystander();
        var directory = Directory.CreateTempSubdirectory("mesh-guardian-");
        await GuardAsync([$"+{ended.Id}"], [$"+{told.Id}", $"-{ended.Id}", $"~{directory.FullName}"]);
        await ExitAsync(told);
        Assert.False(ended.HasExited);
        directory.Refresh();
        Assert.False(directory.Exists);
    }

    public void Dispose()
    {
        foreach (var process in _started)
        {
            if (!process.HasExited)
            {
                process.Kill();
            }

            process.Dispose();
        }
    }

    private Process Bystander()
    {
        var process = Process.Start("sleep", "300");
        _started.Add(process);
        return process;
    }

    private async Task GuardAsync(string[] arguments, string[] lines)
    {
        var start = new ProcessStartInfo(DotNet.Path, [typeof(Guardian).Assembly.Location, Guid.NewGuid().ToString("N"), .. arguments])
        {
            RedirectStandardInput = true,
        };
        var guardian = Process.Start(start)!;
        _started.Add(guardian);
        foreach (var line in lines)
        {
            await guardian.StandardInput.WriteLineAsync(line);
        }

        guardian.StandardInput.Close();
        await ExitAsync(guardian);
        Assert.Equal(0, guardian.ExitCode);
    }

    private static async Task ExitAsync(Process process)
    {
        using var limit = new CancellationTokenSource(Patience);
        try
        {
            await process.WaitForExitAsync(limit.Token);
        }
        catch (OperationCanceledException)
        {
            throw new TimeoutException($"Waited {Patience.TotalSeconds} s for the end of {process.ProcessName}, {process.Id}.");
        }
    }
}
