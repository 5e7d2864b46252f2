using System.Net;
using System.Net.Http.Headers;
using System.Text.Json;

namespace MeshAspire.Client.Http;

/// <summary>Decides what an answer or an error says about a request.</summary>
internal static class ReplyClassifier
{
    /// <summary>Returns the failure that a status stands for, or null when the answer is final.</summary>
    public static Failure? OfStatus(MeshServer server, HttpStatusCode status, Problem? problem, TimeSpan? retryAfter)
    {
        var said = $"answered {(int)status}: {problem?.Detail ?? problem?.Title ?? status.ToString()}";
        return status switch
        {
            HttpStatusCode.TooManyRequests => new(server, FailureKind.Full, IsRefused: true, said, retryAfter, problem?.Count ?? 0),

            // Servers before this member, and proxies between, do not say whether the request had an effect.
            HttpStatusCode.ServiceUnavailable => new(server, FailureKind.Unavailable, problem?.Accepted == false, said, retryAfter, problem?.Count ?? 0),
            HttpStatusCode.RequestTimeout or >= HttpStatusCode.InternalServerError => new(server, FailureKind.Unavailable, IsRefused: false, said, retryAfter, problem?.Count ?? 0),
            _ => null,
        };
    }

    /// <summary>Returns the failure of a request that got no answer.</summary>
    /// <param name="body">The body of the request, or null when it has none.</param>
    public static Failure OfException(MeshServer server, TrackedContent? body, Exception exception)
    {
        var hasConnectError = exception is HttpRequestException
        {
            HttpRequestError: HttpRequestError.NameResolutionError or HttpRequestError.ConnectionError or HttpRequestError.SecureConnectionError or HttpRequestError.ProxyTunnelError,
        };
        var isRefused = body is null ? hasConnectError : !body.Begun;
        var reason = exception switch
        {
            _ when isRefused => $"cannot be connected to: {Describe(exception)}",
            OperationCanceledException => "gave no answer in time",
            _ => $"closed the connection before its answer: {Describe(exception)}",
        };
        return new(server, FailureKind.Connection, isRefused, reason, Exception: exception);
    }

    public static Problem? ReadProblem(byte[] body)
    {
        try
        {
            return body.Length == 0 ? null : JsonSerializer.Deserialize(body, ApiJson.Default.Problem);
        }
        catch (JsonException)
        {
            // A proxy answers with a page of its own.
            return null;
        }
    }

    public static TimeSpan? ReadRetryAfter(RetryConditionHeaderValue? header, DateTimeOffset now)
    {
        var wait = header?.Delta ?? header?.Date - now;
        return wait > TimeSpan.Zero ? wait : null;
    }

    private static string Describe(Exception exception) => exception switch
    {
        HttpRequestException { HttpRequestError: HttpRequestError.NameResolutionError } => "its name is unknown",
        OperationCanceledException => "no connection was made in time",
        _ => (exception.InnerException ?? exception).Message,
    };
}
