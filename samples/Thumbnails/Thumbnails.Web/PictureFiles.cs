namespace Thumbnails.Web;

/// <summary>The uploaded files and the thumbnails, in a folder that is deleted when the web app stops.</summary>
internal sealed class PictureFiles : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("thumbnails-");

    /// <summary>Stores an uploaded file.</summary>
    /// <returns>Its size.</returns>
    public async Task<long> SaveAsync(string id, Stream content, CancellationToken cancellationToken)
    {
        Directory.CreateDirectory(FolderOf(id));
        await using var file = File.Create(UploadOf(id));
        await content.CopyToAsync(file, cancellationToken);
        return file.Length;
    }

    /// <summary>Stores a thumbnail. A reader sees the whole file or none.</summary>
    public async Task SaveThumbnailAsync(string id, int size, Stream content, CancellationToken cancellationToken)
    {
        var unfinished = Path.Combine(FolderOf(id), $"{Guid.NewGuid():N}.part");
        await using (var file = File.Create(unfinished))
        {
            await content.CopyToAsync(file, cancellationToken);
        }

        File.Move(unfinished, ThumbnailOf(id, size), overwrite: true);
    }

    public string UploadOf(string id) => Path.Combine(FolderOf(id), "upload");

    public string ThumbnailOf(string id, int size) => Path.Combine(FolderOf(id), $"{size}.jpg");

    /// <summary>Deletes the uploaded file and keeps the thumbnails.</summary>
    public void DeleteUpload(string id)
    {
        if (Directory.Exists(FolderOf(id)))
        {
            File.Delete(UploadOf(id));
        }
    }

    public void Delete(string id)
    {
        if (Directory.Exists(FolderOf(id)))
        {
            Directory.Delete(FolderOf(id), recursive: true);
        }
    }

    public void Dispose() => _folder.Delete(recursive: true);

    // An id of a picture is a GUID, which the web app has made.
    private string FolderOf(string id) => Path.Combine(_folder.FullName, id);
}
