using System.Diagnostics;
using System.Threading.Channels;
using Mesh.Common;
using Mesh.Protocol;
using Mesh.Transport;
using MeshAspire.Worker.Core;
using MeshAspire.Worker.Handlers;
using MeshAspire.Worker.Links;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.ServiceDiscovery;

namespace MeshAspire.Worker;

/// <summary>
/// Runs <see cref="WorkerCore"/>. One loop reads the inputs of the link, the attempts and the timer from a channel, in order, and carries out the effects of the core. It never blocks.
/// </summary>
internal sealed partial class WorkerService : BackgroundService
{
    private const int InboxCapacity = 256;
    private const string TokenKey = $"{MeshWorkerSettings.Section}:{nameof(MeshWorkerSettings.Token)}";

    private readonly AttemptRunner _runner;
    private readonly ServerAddressResolver _home;
    private readonly MeshDialer _dialer;
    private readonly LineExchange _exchange;
    private readonly MeshWorkerSettings _options;
    private readonly WorkerCore _core;
    private readonly TimeProvider _time;
    private readonly MessageLogger _messages;
    private readonly ServerContact _contact;
    private readonly ILogger<WorkerService> _logger;
    private readonly AcknowledgementObserver? _acknowledgements;

    // While the loop waits, the thread that writes an input runs the loop. This saves a switch of threads for each input.
    private readonly Channel<WorkerInput> _inbox = Channel.CreateBounded<WorkerInput>(new BoundedChannelOptions(InboxCapacity) { SingleReader = true, AllowSynchronousContinuations = true });
    private readonly Dictionary<int, RunningAttempt> _attempts = [];
    private readonly long _startedAt;
    private Link? _link;
    private Task _linkRunning = Task.CompletedTask;
    private TimeSpan? _armedFor;
    private int _timerElapsed;
    private DateTimeOffset _movingSince;
    private bool _stopped;

    public WorkerService(
        IOptions<MeshWorkerSettings> options,
        IConfiguration configuration,
        AttemptRunner runner,
        ServiceEndpointResolver resolver,
        MessageLogger messages,
        ServerContact contact,
        TimeProvider time,
        ILogger<WorkerService> logger,
        AcknowledgementObserver? acknowledgements = null)
    {
        _options = options.Value;
        _runner = runner;
        _time = time;
        _messages = messages;
        _contact = contact;
        _logger = logger;
        _acknowledgements = acknowledgements;
        _startedAt = time.GetTimestamp();
        var home = ServiceAddress.Parse(_options.HomeServer.Endpoint)!.Value;
        _home = new(home, resolver);
        _dialer = new(new MeshDialerOptions
        {
            Token = () => FindToken(configuration),
            UseTls = home.IsTls,
            TrustedAuthorities = TrustedAuthorities.Load(_options.Tls.CaFile),
            Connection = new MeshConnectionOptions { OutboxCapacity = OutboxCapacity(_options.Concurrency), TimeProvider = time },
        });
        _exchange = new(_dialer, time);
        _core = new(_options, runner.Handles, Random.Shared);
        _options.Unknown.ForEach(LogUnknownSetting);
    }

    /// <summary>Returns the number of messages that a connection queues. After a reconnect, the worker sends the statuses of all its tasks and as many get_tasks at once.</summary>
    private static int OutboxCapacity(int concurrency) => (2 * concurrency) + 64;

    public override void Dispose()
    {
        _link?.Dispose();
        base.Dispose();
    }

    private TimeSpan Now => _time.GetElapsedTime(_startedAt);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        Activity.Current = null;
        LogStarting(_options.Id, _options.Home);
        // TryWrite may fail when the inbox is full. Each input in it makes the core check the clock and the loop check the token.
        await using var timer = _time.CreateTimer(_ => OnTimer(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        await using var stop = stoppingToken.Register(() => _inbox.Writer.TryWrite(new WorkerInput.TimerElapsed()));
        Step(new WorkerInput.Start(), timer);
        var stopGiven = false;
        while (!_stopped)
        {
            var input = await _inbox.Reader.ReadAsync(CancellationToken.None);
            Step(input, timer);
            if (!stopGiven && stoppingToken.IsCancellationRequested)
            {
                stopGiven = true;
                Step(new WorkerInput.StopRequested(), timer);
            }
        }

        _inbox.Writer.TryComplete();
        await _linkRunning;
        LogStopped(_options.Id);
    }

    private void OnTimer()
    {
        Volatile.Write(ref _timerElapsed, 1);
        _inbox.Writer.TryWrite(new WorkerInput.TimerElapsed());
    }

    private void Step(WorkerInput input, ITimer timer)
    {
        if (input is WorkerInput.AttemptEnded { Attempt: var attempt } && _attempts.Remove(attempt, out var ended))
        {
            ended.Dispose();
        }

        if (_acknowledgements is not null && input is WorkerInput.Received { Message: Ack { Id: { } acknowledged } })
        {
            _acknowledgements.OnAcknowledged(acknowledged);
        }

        foreach (var effect in _core.Step(input, Now))
        {
            Execute(effect);
        }

        Arm(timer);
    }

    /// <summary>Sets the timer to the core's next time. It is changed only for an earlier time, not for each message; a timer that elapses too early only makes the core check the clock.</summary>
    private void Arm(ITimer timer)
    {
        if (Interlocked.Exchange(ref _timerElapsed, 0) == 1)
        {
            _armedFor = null;
        }

        if (_core.WakeAt is { } wakeAt && (_armedFor is null || wakeAt < _armedFor))
        {
            _armedFor = wakeAt;
            // Timers count whole milliseconds and may elapse slightly early. The timer is then armed again.
            var wait = Math.Max(0, Math.Ceiling((wakeAt - Now).TotalMilliseconds));
            timer.Change(TimeSpan.FromMilliseconds(wait), Timeout.InfiniteTimeSpan);
        }
    }

    private void Execute(WorkerEffect effect)
    {
        switch (effect)
        {
            case WorkerEffect.Send send:
                _link!.Send(send.Message is GetTask { TraceParent: not null } arrival ? WorkerTracing.RecordArrival(arrival, _movingSince) : send.Message);
                break;
            case WorkerEffect.SendRunning { Status: var status } running:
                _link!.Send(status with { Progress = _attempts[running.Attempt].Context.Progress });
                break;
            case WorkerEffect.RunAttempt run:
                var attempt = new RunningAttempt(this, run);
                _attempts.Add(run.Attempt, attempt);
                ThreadPool.UnsafeQueueUserWorkItem(attempt, preferLocal: true);
                break;
            case WorkerEffect.CancelAttempt cancelled:
                _attempts[cancelled.Attempt].Cancel();
                break;
            case WorkerEffect.Dial dial:
                var previous = EndAsync(_link, _linkRunning);
                _link = Open(dial);
                _linkRunning = WatchAsync(Task.WhenAll(_link.RunAsync(), previous));
                break;
            case WorkerEffect.Close:
                _link!.Close();
                break;
            case WorkerEffect.Report { Event: WorkerEvent.RedirectAccepted or WorkerEvent.ReturnAccepted } report:
                _movingSince = _time.GetUtcNow();
                Log(report.Event);
                break;
            case WorkerEffect.Report report:
                UpdateContact(report.Event);
                Log(report.Event);
                break;
            case WorkerEffect.Stopped:
                _stopped = true;
                break;
            default:
                throw new InvalidOperationException($"Unknown effect {effect}.");
        }
    }

    /// <summary>Returns the token to present: the one of the configuration now, unless the application has set another one.</summary>
    private string? FindToken(IConfiguration configuration) =>
        _options.Token == _options.ConfiguredToken && configuration[TokenKey] is { } token && MeshWorkerSettingsValidator.IsToken(token) ? token : _options.Token;

    private void UpdateContact(WorkerEvent happened)
    {
        switch (happened)
        {
            case WorkerEvent.ServerReached reached:
                _contact.SetReached(NameOf(reached.ServerTarget));
                break;
            case WorkerEvent.ServerUnreachable lost:
                _contact.SetLost(NameOf(lost.ServerTarget), lost.Why);
                break;
            default:
                break;
        }
    }

    private string NameOf(ServerTarget server) => server.IsHome ? _options.Home.Value : server.ToString();

    private Link Open(WorkerEffect.Dial dial)
    {
        Func<CancellationToken, ValueTask<MeshEndpoint>> find = dial.ServerTarget.Borrower is { } borrower ? _ => new(borrower) : _home.FindAsync;
        var server = NameOf(dial.ServerTarget);
        return dial.ServerTarget.Framing switch
        {
            Framing.WebSocket => new WebSocketLink(dial.Link, server, find, _dialer, PostAsync, _messages, _logger),
            Framing.Line => new LineLink(dial.Link, server, find, _exchange, PostAsync, _messages),
            _ => throw new InvalidOperationException($"Unknown framing {dial.ServerTarget.Framing}."),
        };
    }

    /// <summary>Waits until a link that the core has replaced has ended, and disposes it.</summary>
    private static async Task EndAsync(Link? link, Task running)
    {
        await running;
        link?.Dispose();
    }

    /// <summary>Ends the loop when a link or an attempt throws, which is a programming error. The host then logs the exception and stops.</summary>
    private async Task WatchAsync(Task part)
    {
        try
        {
            await part;
        }
        catch (Exception fault)
        {
            _inbox.Writer.TryComplete(fault);
            throw;
        }
    }

    /// <summary>Adds an input, and waits while the inbox is full. Inputs after the end of the loop are dropped.</summary>
    private ValueTask PostAsync(WorkerInput input) => _inbox.Writer.TryWrite(input) ? default : PostWhenFreeAsync(input);

    private async ValueTask PostWhenFreeAsync(WorkerInput input)
    {
        while (await _inbox.Writer.WaitToWriteAsync())
        {
            if (_inbox.Writer.TryWrite(input))
            {
                return;
            }
        }
    }

    /// <summary>An attempt, which starts on the thread pool: a handler may compute before its first await, and would block the loop.</summary>
    private sealed class RunningAttempt : IThreadPoolWorkItem, IDisposable
    {
        private readonly WorkerService _service;
        private readonly WorkerEffect.RunAttempt _run;
        private readonly CancellationTokenSource _cancel = new();

        public RunningAttempt(WorkerService service, WorkerEffect.RunAttempt run)
        {
            (_service, _run) = (service, run);
            Context = service._runner.CreateContext(run.Task, _cancel.Token);
        }

        public TaskContext Context { get; }

        public void Execute() => _ = _service.WatchAsync(RunAsync());

        public void Cancel() => _cancel.Cancel();

        public void Dispose() => _cancel.Dispose();

        private async Task RunAsync()
        {
            var result = await _service._runner.RunAsync(_run.Task, Context);
            await _service.PostAsync(new WorkerInput.AttemptEnded(_run.Attempt, result));
        }
    }
}
