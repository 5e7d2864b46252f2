using System.Net;
using System.Net.Http.Headers;
using MeshAspire.Worker;

namespace Thumbnails.Worker;

/// <summary>Reads pictures from the web app and stores thumbnails there.</summary>
internal sealed class PictureClient(HttpClient http)
{
    /// <exception cref="TaskFailedException">The web app does not have the picture any more.</exception>
    /// <exception cref="HttpRequestException">The web app cannot be reached or answered with an error. The task is tried again.</exception>
    public async Task<byte[]> DownloadAsync(string picture, CancellationToken cancellationToken)
    {
        using var response = await http.GetAsync(new Uri(ThumbnailTask.FilePath(picture), UriKind.Relative), cancellationToken);
        ThrowIfGone(response);
        return await response.EnsureSuccessStatusCode().Content.ReadAsByteArrayAsync(cancellationToken);
    }

    /// <inheritdoc cref="DownloadAsync"/>
    public async Task UploadAsync(string picture, int size, byte[] jpeg, CancellationToken cancellationToken)
    {
        using var content = new ByteArrayContent(jpeg) { Headers = { ContentType = new MediaTypeHeaderValue("image/jpeg") } };
        using var response = await http.PutAsync(new Uri(ThumbnailTask.ThumbnailPath(picture, size), UriKind.Relative), content, cancellationToken);
        ThrowIfGone(response);
        response.EnsureSuccessStatusCode();
    }

    private static void ThrowIfGone(HttpResponseMessage response)
    {
        if (response.StatusCode is HttpStatusCode.NotFound)
        {
            throw new TaskFailedException("The web app does not have this picture any more", mayRetry: false);
        }
    }
}
