using Mesh.Server.Hosting.Options;
using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace Mesh.Server.Listening;

/// <summary>
/// Adds the connection middleware of the mesh to every address that Kestrel listens on. TLS is configured by Kestrel (Kestrel__Endpoints__{name}__Url and __Certificate).
/// On such an endpoint <see cref="LineProtocolMiddleware"/> runs twice, before TLS and inside it, so that the line protocol works over TLS too.
/// </summary>
internal static class KestrelSetup
{
    public static void ListenForPeers(this KestrelServerOptions kestrel, MeshOptions mesh)
    {
        kestrel.AddServerHeader = false;
        kestrel.Limits.RequestHeadersTimeout = mesh.Sessions.IdleTimeout;
        kestrel.ConfigureEndpointDefaults(listen =>
        {
            var limiter = listen.ApplicationServices.GetRequiredService<ConnectionLimiter>();
            listen.Use(next => context => limiter.OnConnectedAsync(context, next));
            UseLineProtocol(listen);
        });
        kestrel.ConfigureHttpsDefaults(https => https.HandshakeTimeout = mesh.Sessions.IdleTimeout);
        if (kestrel.ConfigurationLoader is not { } loader)
        {
            return;
        }

        foreach (var section in loader.Configuration.GetSection("Endpoints").GetChildren())
        {
            loader.Endpoint(section.Key, endpoint =>
            {
                if (endpoint.IsHttps)
                {
                    var wrongProtocol = endpoint.ListenOptions.ApplicationServices.GetRequiredService<WrongProtocolResponder>();
                    endpoint.ListenOptions.Use(next => context => wrongProtocol.RejectPlaintextAsync(context, next));
                }

                if (endpoint.IsHttps && !endpoint.ConfigSection.GetSection("Sni").Exists())
                {
                    endpoint.ListenOptions.UseHttps(endpoint.HttpsOptions);
                    UseLineProtocol(endpoint.ListenOptions);
                }
            });
        }
    }

    private static void UseLineProtocol(ListenOptions listen)
    {
        var lines = listen.ApplicationServices.GetRequiredService<LineProtocolMiddleware>();
        listen.Use(next => context => lines.OnConnectedAsync(context, next));
    }
}
