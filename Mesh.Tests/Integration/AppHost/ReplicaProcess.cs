using System.ComponentModel;
using System.Diagnostics;
using System.Globalization;
using Aspire.Hosting;
using Aspire.Hosting.ApplicationModel;

namespace Mesh.Tests.Integration.AppHost;

/// <summary>A replica of a project and its process: the program itself, or the <c>dotnet run</c> that has started it.</summary>
internal sealed record ReplicaProcess(string Resource, string Id, int ProcessId)
{
    private const string Property = "executable.pid";

    public bool Runs
    {
        get
        {
            try
            {
                using var process = Process.GetProcessById(ProcessId);
                return !process.HasExited;
            }
            catch (ArgumentException)
            {
                return false;
            }
        }
    }

    /// <summary>Waits until that number of replicas of the resource run.</summary>
    public static async Task<ReplicaProcess[]> OfAsync(DistributedApplication app, string resource, int count)
    {
        var found = new List<ReplicaProcess>();
        while (found.Count < count)
        {
            var news = await app.ResourceNotifications.WaitForResourceAsync(
                resource, one => ProcessIdOf(one) is not null && found.All(known => known.Id != one.ResourceId), TestContext.Current.CancellationToken);
            found.Add(new(resource, news.ResourceId, ProcessIdOf(news)!.Value));
        }

        return [.. found];
    }

    /// <summary>Kills the process, as a crash or the kernel does, and waits until Aspire has noticed it.</summary>
    public async Task KillAsync(DistributedApplication app)
    {
        var ended = app.ResourceNotifications.WaitForResourceAsync(
            Resource,
            one => one.ResourceId == Id && (ProcessIdOf(one) != ProcessId || KnownResourceStates.TerminalStates.Contains(one.Snapshot.State?.Text)),
            TestContext.Current.CancellationToken);
        try
        {
            using var process = Process.GetProcessById(ProcessId);
            process.Kill(entireProcessTree: true);
        }
        catch (Exception exception) when (exception is ArgumentException or Win32Exception)
        {
            Assert.Fail($"{Id} should have run as process {ProcessId}: {exception.Message}");
        }

        await ended;
    }

    /// <summary>Starts the replica again, unless it has been started already.</summary>
    public async Task StartAsync(DistributedApplication app)
    {
        var result = await app.ResourceCommands.ExecuteCommandAsync(Id, KnownResourceCommands.StartCommand, TestContext.Current.CancellationToken);
        Assert.True(result.Success, result.Message);
    }

    private static int? ProcessIdOf(ResourceEvent news) =>
        news.Snapshot.Properties.FirstOrDefault(one => one.Name == Property)?.Value is { } value ? Convert.ToInt32(value, CultureInfo.InvariantCulture) : null;
}
