using System.Diagnostics;
using System.Text.Json;
using MeshAspire.Client;

namespace Thumbnails.Web;

/// <summary>Asks the task server for the states of the oldest unfinished pictures and updates the board. Deletes the uploaded file of each picture that is finished.</summary>
internal sealed partial class PictureTracker(PictureBoard board, PictureFiles files, MeshClient mesh, TimeProvider time, ILogger<PictureTracker> logger) : BackgroundService
{
    /// <summary>Tasks are run in the order of their submission. After so many that wait, the states of later ones need not be asked for.</summary>
    private const int MaxWaiting = 4;

    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(250);

    private bool _isUnavailable;

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Interval, time);
        try
        {
            while (await timer.WaitForNextTickAsync(stoppingToken))
            {
                await UpdateAllAsync(stoppingToken);
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // The web app is stopping.
        }
    }

    /// <summary>Returns the picture in the state of its task.</summary>
    internal static Picture Apply(Picture picture, MeshTask task) => task.State switch
    {
        MeshTaskState.Queued or MeshTaskState.Scheduled => picture with { State = PictureState.Queued, Progress = null, Worker = null },
        MeshTaskState.Running => picture with { State = PictureState.Running, Progress = task.Progress, Worker = task.Worker },
        MeshTaskState.Done => ReadResult(task) is { } result
            ? picture with { State = PictureState.Done, Progress = 1, Worker = task.Worker, Home = result.Home, Width = result.Width, Height = result.Height }
            : picture with { State = PictureState.Failed, Worker = task.Worker, Error = "The worker returned no result." },
        MeshTaskState.Dead => picture with { State = PictureState.Failed, Worker = task.Worker, Error = task.Error ?? "The task failed." },
        MeshTaskState.Cancelled => picture with { State = PictureState.Cancelled, Progress = null },
        _ => throw new InvalidOperationException($"Unknown state {task.State}."),
    };

    private static ThumbnailResult? ReadResult(MeshTask task)
    {
        try
        {
            return task.Result?.Deserialize<ThumbnailResult>(JsonSerializerOptions.Web);
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private async Task UpdateAllAsync(CancellationToken stoppingToken)
    {
        // Requests within an activity that is not recorded are not traced, here and at the server.
        using var untraced = new Activity("poll").Start();
        var waiting = 0;
        foreach (var picture in board.Unfinished())
        {
            await UpdateAsync(picture, stoppingToken);
            if (board.Find(picture.Id) is { State: PictureState.Queued } && ++waiting == MaxWaiting)
            {
                return;
            }
        }
    }

    private async Task UpdateAsync(Picture picture, CancellationToken stoppingToken)
    {
        try
        {
            var task = await mesh.GetAsync(picture.Id, stoppingToken);
            _isUnavailable = false;
            // A picture is on the board shortly before its task is submitted.
            if (task is not null)
            {
                board.Update(picture.Id, current => Apply(current, task));
                if (task.IsSettled)
                {
                    files.DeleteUpload(picture.Id);
                }
            }
        }
        catch (MeshException exception)
        {
            if (!_isUnavailable)
            {
                _isUnavailable = true;
                LogUnavailable(exception.Message);
            }
        }
    }

    [LoggerMessage(1, LogLevel.Warning, "The states of pictures are not known: {Reason}")]
    private partial void LogUnavailable(string reason);
}
