using System.Diagnostics;
using Mesh.Accounts;
using Mesh.Protocol;
using Mesh.Server.Core.Tasks;
using Mesh.Server.Hosting.Options;
using Mesh.Server.Loop;
using Mesh.Server.Telemetry;
using MeshAspire.ServiceDefaults;
using Microsoft.Extensions.Options;

namespace Mesh.Server.Producer;

/// <summary>
/// Submits demo load: waves of tasks for six accounts. A wave is large enough that the server borrows workers, and the time between two waves is long enough
/// that it releases them.
/// </summary>
internal sealed partial class DemoProducer(
    IOptions<MeshOptions> options, CoreInputQueue inputs, ILedger ledger, TimeProvider time, ILogger<DemoProducer> logger) : BackgroundService
{
    private const decimal OpeningBalance = 1000;

    /// <summary>On average, one of this many tasks is an UPDATE.</summary>
    private const int UpdateShare = 3;

    private const int MaxCents = 100_00;

    private static readonly string[] Users = ["Arthur", "Carlos", "Michel", "Maria", "Fernanda", "Joao"];
    private static readonly TimeSpan RetryDelay = TimeSpan.FromSeconds(1);

    private bool _paused;

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var producer = options.Value.Producer;
        if (!producer.Enabled)
        {
            return;
        }

        Activity.Current = null;
        try
        {
            await OpenAccountsAsync(stoppingToken);
            using var timer = new PeriodicTimer(producer.Period, time);
            do
            {
                await SubmitWaveAsync(producer.Burst);
            }
            while (await timer.WaitForNextTickAsync(stoppingToken));
        }
        catch (Exception exception) when (exception is LoopStoppedException or OperationCanceledException && stoppingToken.IsCancellationRequested)
        {
            // The server stops.
        }
    }

    // Nothing is submitted while the server is paused, because each refused task would be a failed span.
    private async Task SubmitWaveAsync(int count)
    {
        if (await inputs.QueryAsync(core => core.IsPaused))
        {
            if (!_paused)
            {
                LogPaused();
            }

            _paused = true;
            return;
        }

        _paused = false;
        var tasks = Wave(count);
        var spans = TaskSpans.StartSubmits(tasks);
        var outcome = await inputs.SubmitAsync(tasks);
        TaskSpans.End(spans, outcome);
        LogWave(count, outcome);
    }

    private async Task OpenAccountsAsync(CancellationToken stoppingToken)
    {
        // When the loop runs, the store has been reached once, and the server accepts tasks.
        await inputs.Opened.WaitAsync(stoppingToken);
        string? logged = null;
        var retry = UnlimitedRetry.Create(time, RetryDelay, RetryDelay, RedisErrorClassifier.IsStoreUnavailable, (_, fault) =>
        {
            if (logged != fault.Message)
            {
                logged = fault.Message;
                LogStoreUnavailable(logged);
            }
        });
        foreach (var user in Users)
        {
            await retry.ExecuteAsync(stop => OpenAccountAsync(user, stop), stoppingToken);
        }
    }

    private async ValueTask OpenAccountAsync(string user, CancellationToken stoppingToken)
    {
        if (await ledger.FindBalanceAsync(user, stoppingToken) is null)
        {
            await ledger.SetBalanceAsync(user, OpeningBalance, stoppingToken);
        }
    }

    private List<TaskRecord> Wave(int count)
    {
        var tasks = new List<TaskRecord>(count);
        for (var i = 0; i < count; i++)
        {
            var id = Guid.CreateVersion7(time.GetUtcNow()).ToString("N");
            var user = Users[i % Users.Length];
            tasks.Add(Random.Shared.Next(UpdateShare) == 0
                ? new TaskRecord(id, new TaskId(id), TaskType.Update, user, Random.Shared.Next(1, MaxCents + 1) / 100m, Sequence: 0)
                : new TaskRecord(id, new TaskId(id), TaskType.Query, user, Amount: null, Sequence: 0));
        }

        return tasks;
    }

    [LoggerMessage(5001, LogLevel.Information, "Demo load: submitted {Count} tasks. Outcome: {Outcome}.")]
    private partial void LogWave(int count, SubmitOutcome outcome);

    [LoggerMessage(5003, LogLevel.Information, "Demo load: no tasks are submitted while this server is paused.")]
    private partial void LogPaused();

    [LoggerMessage(5002, LogLevel.Warning, "Demo load: the accounts cannot be created yet. {Reason}")]
    private partial void LogStoreUnavailable(string reason);
}
