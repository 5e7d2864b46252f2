using System.Runtime.CompilerServices;
using MeshAspire.Client;

namespace Thumbnails.Web;

/// <summary>The HTTP API for the page and for the workers.</summary>
internal static class PictureEndpoints
{
    public static void MapPictures(this IEndpointRouteBuilder app)
    {
        var pictures = app.MapGroup("/api/pictures");
        pictures.AddEndpointFilter(ReportUnavailableMeshAsync);
        pictures.MapPost("", UploadAsync);
        pictures.MapDelete("", CancelAllAsync);
        pictures.MapDelete("/finished", RemoveFinished);
        pictures.MapDelete("/{id}", CancelAsync);
        pictures.MapGet("/{id}/file", GetFile);
        pictures.MapGet("/{id}/thumbnails/{size:int}", GetThumbnail);
        pictures.MapPut("/{id}/thumbnails/{size:int}", PutThumbnailAsync);
        app.MapGet("/api/settings", GetSettings);
        // The service defaults do not trace this path, because such a request lasts until the page is closed.
        app.MapGet("/events", WatchChanges);
    }

    private static async ValueTask<object?> ReportUnavailableMeshAsync(EndpointFilterInvocationContext context, EndpointFilterDelegate next)
    {
        try
        {
            return await next(context);
        }
        catch (MeshException exception)
        {
            return Results.Problem($"The task server does not answer. {exception.Message}", statusCode: StatusCodes.Status503ServiceUnavailable);
        }
    }

    private static async Task<IResult> UploadAsync(string? name, HttpRequest request, PictureUploads uploads, CancellationToken cancellationToken)
    {
        if (request.ContentLength > PictureLimits.MaxFileBytes)
        {
            return Results.Problem($"The file is larger than {PictureLimits.MaxFileBytes / 1024 / 1024} MB.", statusCode: StatusCodes.Status413PayloadTooLarge);
        }

        name = string.IsNullOrWhiteSpace(name) ? "picture" : name.Trim()[..Math.Min(name.Trim().Length, PictureLimits.MaxNameLength)];
        var (picture, fault) = await uploads.AcceptAsync(name, request.Body, cancellationToken);
        return fault is null ? Results.Accepted($"/api/pictures/{picture!.Id}", picture) : Results.Problem(fault.Reason, statusCode: fault.Status);
    }

    private static IResult WatchChanges(PictureBoard board, IHostApplicationLifetime lifetime, CancellationToken cancellationToken)
    {
        return Results.ServerSentEvents(WatchAsync(cancellationToken), "pictures");

        // The stream ends when the page is closed or the web app stops.
        async IAsyncEnumerable<PictureChanges> WatchAsync([EnumeratorCancellation] CancellationToken closed)
        {
            using var ended = CancellationTokenSource.CreateLinkedTokenSource(closed, lifetime.ApplicationStopping);
            await using var changes = board.WatchAsync(ended.Token).GetAsyncEnumerator(CancellationToken.None);
            while (await changes.MoveNextAsync().AsTask().ContinueWith(moved => moved.IsCompletedSuccessfully && moved.Result, TaskScheduler.Default))
            {
                yield return changes.Current;
            }
        }
    }

    private static async Task<IResult> CancelAsync(string id, PictureBoard board, PictureUploads uploads, CancellationToken cancellationToken)
    {
        if (board.Find(id) is null)
        {
            return Results.NotFound();
        }

        await uploads.CancelAsync(id, cancellationToken);
        return Results.Accepted();
    }

    private static async Task<IResult> CancelAllAsync(PictureBoard board, PictureUploads uploads, CancellationToken cancellationToken)
    {
        // The newest first: those wait, and no worker starts one of them meanwhile.
        await Parallel.ForEachAsync(
            board.Unfinished().Reverse(), cancellationToken, async (picture, cancelled) => await uploads.CancelAsync(picture.Id, cancelled));
        return Results.Accepted();
    }

    private static IResult RemoveFinished(PictureBoard board, PictureFiles files)
    {
        foreach (var picture in board.Remove(picture => picture.IsFinished))
        {
            files.Delete(picture.Id);
        }

        return Results.NoContent();
    }

    private static IResult GetFile(string id, PictureBoard board, PictureFiles files) =>
        board.Find(id) is { IsFinished: false } && File.Exists(files.UploadOf(id)) ? Results.File(files.UploadOf(id), "application/octet-stream") : Results.NotFound();

    private static IResult GetThumbnail(string id, int size, PictureBoard board, PictureFiles files) =>
        board.Find(id) is not null && File.Exists(files.ThumbnailOf(id, size)) ? Results.File(files.ThumbnailOf(id, size), "image/jpeg") : Results.NotFound();

    private static async Task<IResult> PutThumbnailAsync(string id, int size, HttpRequest request, PictureBoard board, PictureFiles files, CancellationToken cancellationToken)
    {
        if (board.Find(id) is not { IsFinished: false } || !PictureLimits.Sizes.Contains(size))
        {
            return Results.NotFound();
        }

        if (request.ContentLength is not (> 0 and <= PictureLimits.MaxThumbnailBytes) || request.ContentType != "image/jpeg")
        {
            return Results.BadRequest();
        }

        await files.SaveThumbnailAsync(id, size, request.Body, cancellationToken);
        return Results.NoContent();
    }

    /// <summary>What the page needs to know: the server that it submits to, the address of its map, and the limits.</summary>
    private static IResult GetSettings(IConfiguration configuration) => Results.Json(new
    {
        Server = "server-a",
        Map = configuration["services:server-a:http:0"],
        PictureLimits.MaxFileBytes,
        PictureFormat.Known,
        PictureLimits.Sizes,
    });
}
