using System.CommandLine;
using Mesh.Bench.CommandLine;
using Mesh.Bench.Idle;
using Mesh.Protocol;

namespace Mesh.Bench.Load;

/// <summary>The command line of the load generator.</summary>
internal static class LoadCommand
{
    private static readonly Dictionary<string, Framing> Transports = new() { ["WebSocket"] = Framing.WebSocket, ["Tcp"] = Framing.Line };
    private static readonly Dictionary<string, WorkerKind> Kinds = new() { ["Package"] = WorkerKind.Package, ["Loop"] = WorkerKind.Loop };

    public static Command Create()
    {
        var server = new ServerOptions();
        var workers = NumberOption.Create("--workers", "Workers, with one connection each.", 64, 1, 50_000);
        var slots = NumberOption.Create("--slots", "Tasks that one worker runs at a time.", 1, 1, ProtocolLimits.MaxPollsPerWorker);
        var kind = ChoiceOption.Create("--worker", "The workers: those of the package MeshAspire.Worker, or a bare loop.", "Package|Loop", WorkerKind.Package, Kinds);
        var tasks = NumberOption.Create("--tasks", "Tasks to submit.", 200_000, 1, 50_000_000);
        var batch = NumberOption.Create("--batch", "Tasks in each POST.", 500, 1, 50_000);
        var submitters = NumberOption.Create("--submitters", "Concurrent POSTs.", 4, 1, 1_000);
        var patience = NumberOption.Create("--timeout", "Seconds without progress after which the run fails.", 30, 1, 86_400);
        var transport = ChoiceOption.Create("--transport", "The transport of the workers.", "WebSocket|Tcp", Framing.WebSocket, Transports);
        var process = NumberOption.CreateOptional("--pid", "The server's process on this machine: the growth of its memory is measured.", 1, int.MaxValue);
        var refusal = NumberOption.CreateOptional("--max-refusal", "Milliseconds that a refusal (429 or 503) may take, else the run fails.", 1, 86_400_000);
        var growth = NumberOption.CreateOptional("--max-growth", "MiB by which the memory of --pid may grow, else the run fails.", 0, 1_000_000);
        var json = new Option<bool>("--json") { Description = "Print only the result, as JSON." };

        var command = new Command("load", "Submits tasks to a running server, works them off with workers whose tasks take no time, and measures.")
        {
            server.Url, kind, workers, slots, tasks, transport, batch, submitters, server.Token, patience, process, refusal, growth, json,
        };
        command.Runs(async (parsed, cancellationToken) =>
        {
            using var watched = parsed.GetValue(process) is { } id ? ServerProcess.Find(id) : null;
            var plan = new LoadPlan(
                server.Read(parsed),
                parsed.GetValue(kind),
                parsed.GetValue(workers),
                parsed.GetValue(slots),
                parsed.GetValue(tasks),
                parsed.GetValue(transport),
                parsed.GetValue(batch),
                parsed.GetValue(submitters),
                TimeSpan.FromSeconds(parsed.GetValue(patience)),
                new LoadLimits(parsed.GetValue(refusal), parsed.GetValue(growth)));
            return await LoadRun.RunAsync(plan, watched, parsed.GetValue(json), cancellationToken);
        });
        return command;
    }
}
