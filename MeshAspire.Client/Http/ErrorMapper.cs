using System.Net;

namespace MeshAspire.Client.Http;

/// <summary>Creates the exceptions for answers and failures.</summary>
internal static class ErrorMapper
{
    /// <summary>Returns the exception for a final answer that is no success.</summary>
    public static MeshException Of(Answer answer)
    {
        var problem = ReplyClassifier.ReadProblem(answer.Body);
        var (server, address) = (answer.Server, answer.Server.Address);
        var detail = problem?.Detail ?? problem?.Title;
        switch (answer.Status)
        {
            case HttpStatusCode.BadRequest or HttpStatusCode.RequestEntityTooLarge:
                return new TaskRejectedException($"{server} refused the request: {detail ?? $"{(int)answer.Status}"} Nothing was accepted.", problem?.Field, detail, address);
            case HttpStatusCode.Conflict:
                return new TaskConflictException($"{server} refused the request: {detail ?? "409"}", problem?.Fields ?? [], address);
            case HttpStatusCode.Unauthorized:
                return new MeshUnauthorizedException($"{server} does not accept the token. {detail} Set Mesh__Client__Token.", address);
            case HttpStatusCode.Forbidden:
                return new MeshUnauthorizedException($"{server} does not permit the request with this token. {detail}", address);
            default:
                return new UnexpectedResponseException(
                    $"{server} answered {(int)answer.Status}, which is not expected. Check that the address is that of a mesh server. {detail}", address);
        }
    }

    /// <summary>Returns the exception for failures of all servers that were tried.</summary>
    public static MeshException Of(IReadOnlyList<Failure> failures, string consequence)
    {
        var main = failures.FirstOrDefault(failure => failure.Kind == FailureKind.Full) ?? failures[0];
        var message = $"{string.Join("; ", failures.Select(failure => $"{failure.Server} {failure.Reason.TrimEnd('.')}"))}. {consequence}";
        return main.Kind switch
        {
            FailureKind.Full => new QueueFullException(message, main.Server.Address, main.Exception),
            FailureKind.Connection or FailureKind.Unavailable => new MeshUnavailableException(message, main.Server.Address, main.Exception),
            _ => throw new InvalidOperationException($"Unknown kind {main.Kind}."),
        };
    }
}
