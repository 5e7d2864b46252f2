using Mesh.Accounts;
using Mesh.Server.Loop;
using Mesh.Server.Storage;

namespace Mesh.Server.Api;

/// <summary>Answers requests with 503 and Retry-After while the server starts or stops, and when the store is unavailable.</summary>
internal sealed class AvailabilityFilter(CoreInputQueue inputs, ServerReadiness state) : IEndpointFilter
{
    public async ValueTask<object?> InvokeAsync(EndpointFilterInvocationContext context, EndpointFilterDelegate next)
    {
        if (!inputs.IsOpen)
        {
            return Problems.NotReady(context.HttpContext, state);
        }

        try
        {
            return await next(context);
        }
        catch (LoopStoppedException)
        {
            return Problems.Stopping(context.HttpContext);
        }
        catch (Exception exception) when (exception is StoreUnavailableException || RedisErrorClassifier.IsStoreUnavailable(exception))
        {
            return Problems.StoreUnavailable(context.HttpContext, RedisErrorClassifier.Reason(exception) ?? exception.Message);
        }
    }
}
