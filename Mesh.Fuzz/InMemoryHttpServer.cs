using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Http.Features;

namespace Mesh.Fuzz;

/// <summary>A web server without a socket. It receives its requests in memory.</summary>
internal sealed class InMemoryHttpServer : IServer
{
    private Func<IFeatureCollection, Task> _application = _ => throw new InvalidOperationException("The server has not started.");

    public IFeatureCollection Features { get; } = new FeatureCollection();

    public Task StartAsync<TContext>(IHttpApplication<TContext> application, CancellationToken cancellationToken)
        where TContext : notnull
    {
        _application = async features =>
        {
            var context = application.CreateContext(features);
            Exception? fault = null;
            try
            {
                await application.ProcessRequestAsync(context);
            }
            catch (Exception exception)
            {
                fault = exception;
                throw;
            }
            finally
            {
                application.DisposeContext(context, fault);
            }
        };
        return Task.CompletedTask;
    }

    /// <summary>Runs one request through the whole pipeline.</summary>
    public Task ServeAsync(IFeatureCollection request) => _application(request);

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public void Dispose()
    {
    }
}
