using MeshAspire.Client.Http;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace MeshAspire.Client;

/// <summary>Requests /health of each server. Healthy while the primary server is, degraded while only a fallback is, else unhealthy.</summary>
internal sealed class MeshClientHealthCheck(MeshClient client) : IHealthCheck
{
    public async Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
    {
        IReadOnlyList<MeshServer> servers;
        try
        {
            servers = await client.Servers.GetAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (MeshUnavailableException exception)
        {
            return new(context.Registration.FailureStatus, exception.Message);
        }

        var faults = await Task.WhenAll(servers.Select(server => FindFaultAsync(server, cancellationToken))).ConfigureAwait(false);
        var message = string.Join("; ", faults.Where(fault => fault is not null));
        return faults[0] is null ? HealthCheckResult.Healthy(message.Length == 0 ? null : message)
            : faults.Contains(null) ? HealthCheckResult.Degraded(message)
            : new(context.Registration.FailureStatus, message);
    }

    /// <summary>Returns null when a server is healthy.</summary>
    private async Task<string?> FindFaultAsync(MeshServer server, CancellationToken cancellationToken) =>
        await client.Sender.SendAsync(server, new(HttpMethod.Get, "health"), cancellationToken).ConfigureAwait(false) switch
        {
            Answer { IsSuccess: true } => null,
            Answer answer => $"{server} answered {(int)answer.Status}",
            Failure failure => $"{server} {failure.Reason}",
            _ => throw new InvalidOperationException("Unknown reply."),
        };
}
