using Mesh.Accounts;
using Mesh.Server.Hosting;
using Mesh.Server.Storage;

namespace Mesh.Server.Api;

/// <summary>Answers for a server that starts, stops or has lost its store: 503, with Retry-After.</summary>
internal sealed class AvailabilityFilter(MeshInbox inbox, LoopState state) : IEndpointFilter
{
    public async ValueTask<object?> InvokeAsync(EndpointFilterInvocationContext context, EndpointFilterDelegate next)
    {
        if (!inbox.IsOpen)
        {
            return Problems.NotOpen(context.HttpContext, state);
        }

        try
        {
            return await next(context);
        }
        catch (LoopEndedException)
        {
            return Problems.Stopping(context.HttpContext);
        }
        catch (Exception exception) when (exception is StoreAwayException || LedgerFaults.IsStoreAway(exception))
        {
            return Problems.StorageAway(context.HttpContext, LedgerFaults.Reason(exception) ?? exception.Message);
        }
    }
}
