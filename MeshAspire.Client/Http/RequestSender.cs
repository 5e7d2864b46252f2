using System.Net.Http.Headers;

namespace MeshAspire.Client.Http;

/// <summary>A request, before it is sent to a server.</summary>
/// <param name="Path">The path and query, percent-encoded, without a slash at the start.</param>
/// <param name="Body">The JSON body, or null.</param>
/// <param name="ExtraTime">The time that the server may take on purpose, beyond the limit of the settings.</param>
internal sealed record ServerRequest(HttpMethod Method, string Path, byte[]? Body = null, TimeSpan ExtraTime = default)
{
    /// <summary>Whether the status alone is the answer, so that a connection that is lost during the body makes no difference.</summary>
    public bool IgnoresBody { get; init; }
}

/// <summary>Sends one request to one server.</summary>
internal sealed class RequestSender(HttpClient http, MeshClientSettings settings, TimeProvider time)
{
    /// <summary>The largest body of an answer, bytes. A page has up to 100 dead letters with payloads and results.</summary>
    private const int MaxAnswerBytes = 256 * 1024 * 1024;

    /// <exception cref="OperationCanceledException">The caller's token was cancelled.</exception>
    public async Task<Reply> SendAsync(MeshServer server, ServerRequest request, CancellationToken cancellationToken)
    {
        using var content = request.Body is { } json ? new TrackedContent(json) : null;
        using var message = new HttpRequestMessage(request.Method, new Uri(server.Address, request.Path)) { Content = content };
        if (settings.Token is { } token)
        {
            message.Headers.Authorization = new AuthenticationHeaderValue("Bearer", token);
        }

        using var limit = new CancellationTokenSource(settings.RequestTimeout + request.ExtraTime, time);
        using var ends = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, limit.Token);
        try
        {
            using var response = await http.SendAsync(message, HttpCompletionOption.ResponseHeadersRead, ends.Token).ConfigureAwait(false);
            server.Connected();
            return await ReadAsync(server, request, response, ends.Token).ConfigureAwait(false);
        }
        catch (Exception exception) when (exception is HttpRequestException or IOException or OperationCanceledException)
        {
            cancellationToken.ThrowIfCancellationRequested();
            var failure = ReplyClassifier.OfException(server, content, exception);
            if (failure.IsRefused)
            {
                server.ConnectionFailed();
            }

            return failure;
        }
    }

    private async Task<Reply> ReadAsync(MeshServer server, ServerRequest request, HttpResponseMessage response, CancellationToken cancellationToken)
    {
        if (response.IsSuccessStatusCode)
        {
            return new Answer(server, response.StatusCode, request.IgnoresBody ? [] : await ReadBodyAsync(response, cancellationToken).ConfigureAwait(false), NextPage(response));
        }

        byte[] body;
        try
        {
            body = await ReadBodyAsync(response, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception exception) when (exception is HttpRequestException or IOException)
        {
            // The status is known. What is lost is its explanation.
            body = [];
        }

        var retryAfter = ReplyClassifier.ReadRetryAfter(response.Headers.RetryAfter, time.GetUtcNow());
        return (Reply?)ReplyClassifier.OfStatus(server, response.StatusCode, ReplyClassifier.ReadProblem(body), retryAfter) ?? new Answer(server, response.StatusCode, body, null);
    }

    private static async Task<byte[]> ReadBodyAsync(HttpResponseMessage response, CancellationToken cancellationToken)
    {
        await response.Content.LoadIntoBufferAsync(MaxAnswerBytes, cancellationToken).ConfigureAwait(false);
        return await response.Content.ReadAsByteArrayAsync(cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Returns the target of the header Link with rel="next", or null.</summary>
    private static string? NextPage(HttpResponseMessage response) => response.Headers.TryGetValues("Link", out var links)
        ? links.Where(link => link.StartsWith('<') && link.Contains("rel=\"next\"", StringComparison.Ordinal)).Select(link => link[1..link.IndexOf('>', StringComparison.Ordinal)]).FirstOrDefault()
        : null;
}
