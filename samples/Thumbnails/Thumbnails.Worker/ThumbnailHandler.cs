using MeshAspire.Worker;

namespace Thumbnails.Worker;

/// <summary>Makes the thumbnails of one picture: downloads it from the web app, scales it, and uploads each thumbnail.</summary>
internal sealed class ThumbnailHandler(PictureClient pictures, IConfiguration configuration) : ITaskHandler<ThumbnailTask, ThumbnailResult>
{
    public async Task<ThumbnailResult> HandleAsync(ThumbnailTask task, TaskContext context)
    {
        var file = await pictures.DownloadAsync(task.Picture, context.CancellationToken);
        context.ReportProgress(0.2);
        using var picture = DecodedPicture.Decode(file, task.Sizes.Max());
        context.ReportProgress(0.5);
        var made = new List<ThumbnailInfo>();
        foreach (var size in task.Sizes)
        {
            var (info, jpeg) = picture.Scale(size);
            await pictures.UploadAsync(task.Picture, size, jpeg, context.CancellationToken);
            made.Add(info);
            context.ReportProgress(0.5 + (0.5 * made.Count / task.Sizes.Length));
        }

        return new ThumbnailResult(picture.Width, picture.Height, [.. made], configuration["Mesh:HomeServer:Id"] ?? "");
    }
}
