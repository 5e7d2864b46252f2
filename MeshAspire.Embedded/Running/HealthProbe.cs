using System.Net.Sockets;
using Aspire.Hosting.ApplicationModel;
using MeshAspire.Embedded.Redis;

namespace MeshAspire.Embedded.Running;

/// <summary>Asks a resource how it is.</summary>
internal sealed class HealthProbe : IDisposable
{
    private readonly HttpClient _http = new(new SocketsHttpHandler { UseProxy = false, ConnectTimeout = TimeSpan.FromSeconds(2) })
    {
        Timeout = TimeSpan.FromSeconds(5),
    };

    /// <summary>Null when it is well, or when there is nothing to ask; else what is wrong.</summary>
    public async Task<string?> AskAsync(IResource resource, CancellationToken cancellationToken)
    {
        if (resource is RedisResource server)
        {
            var connectionString = await server.GetConnectionStringAsync(cancellationToken);
            return await RedisPing.AskAsync(RedisAddress.Parse(connectionString ?? ""), cancellationToken);
        }

        foreach (var check in resource.Annotations.OfType<HttpHealthAnnotation>())
        {
            if (await GetAsync(check, cancellationToken) is { } fault)
            {
                return fault;
            }
        }

        return null;
    }

    public void Dispose() => _http.Dispose();

    private async Task<string?> GetAsync(HttpHealthAnnotation check, CancellationToken cancellationToken)
    {
        var url = check.Endpoint.Url + "/" + check.Path.TrimStart('/');
        try
        {
            using var response = await _http.GetAsync(new Uri(url), HttpCompletionOption.ResponseHeadersRead, cancellationToken);
            return (int)response.StatusCode == check.StatusCode ? null : $"{url} answers {(int)response.StatusCode}";
        }
        // A connection that is reset at its very birth shows itself as a bare SocketException.
        catch (Exception exception) when (exception is HttpRequestException or SocketException)
        {
            return $"{url}: {exception.Message}";
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return $"{url} doesn't answer";
        }
    }
}
