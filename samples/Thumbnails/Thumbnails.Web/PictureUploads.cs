using MeshAspire.Client;

namespace Thumbnails.Web;

/// <summary>Why a picture was not accepted: the status of the answer, and a sentence for the user.</summary>
internal sealed record UploadFault(int Status, string Reason);

/// <summary>Accepts pictures, by storing the file and submitting its task, and cancels them.</summary>
internal sealed class PictureUploads(PictureBoard board, PictureFiles files, MeshClient mesh)
{
    /// <summary>Accepts one picture.</summary>
    /// <returns>The picture, or the reason why it was not accepted. Nothing of a picture that is not accepted remains.</returns>
    /// <exception cref="MeshException">The server did not accept the task.</exception>
    public async Task<(Picture? Picture, UploadFault? Fault)> AcceptAsync(string name, Stream content, CancellationToken cancellationToken)
    {
        var id = $"{Guid.NewGuid():N}";
        UploadFault fault;
        try
        {
            var bytes = await files.SaveAsync(id, content, cancellationToken);
            if (!PictureFormat.IsPicture(files.UploadOf(id)))
            {
                fault = new(StatusCodes.Status415UnsupportedMediaType, $"This is not a picture. {PictureFormat.Known} are supported.");
            }
            else if (board.Add(id, name, bytes, out var removed) is not { } picture)
            {
                fault = new(StatusCodes.Status429TooManyRequests, "Too many pictures are waiting. Try again when some of them are finished.");
            }
            else
            {
                foreach (var old in removed)
                {
                    files.Delete(old.Id);
                }

                await mesh.SubmitAsync(ThumbnailTask.Type, new ThumbnailTask(id, PictureLimits.Sizes), new MeshTaskOptions { Id = id }, cancellationToken);
                return (picture, null);
            }
        }
        catch
        {
            Discard(id);
            throw;
        }

        Discard(id);
        return (null, fault);
    }

    /// <summary>Cancels the task of a picture. A task that runs is told to end, and can still be done.</summary>
    public async Task CancelAsync(string id, CancellationToken cancellationToken)
    {
        if (await mesh.CancelAsync(id, cancellationToken) is CancelResult.Cancelled or CancelResult.NotFound)
        {
            board.Update(id, picture => picture with { State = PictureState.Cancelled });
            files.DeleteUpload(id);
        }
    }

    private void Discard(string id)
    {
        board.Remove(picture => picture.Id == id);
        files.Delete(id);
    }
}
