using System.Net;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace MeshAspire.Client.Http;

/// <summary>How one request to one server ended: a closed set.</summary>
internal abstract record Reply(MeshServer Server);

/// <summary>The server gave its final answer. Repeating the request makes no difference.</summary>
internal sealed record Answer(MeshServer Server, HttpStatusCode Status, byte[] Body, string? NextPage) : Reply(Server)
{
    public bool IsSuccess => (int)Status is >= 200 and < 300;

    /// <summary>Returns the body as an object.</summary>
    /// <exception cref="UnexpectedResponseException">The body is not this object.</exception>
    public T Read<T>(JsonTypeInfo<T> info)
    {
        try
        {
            return JsonSerializer.Deserialize(Body, info) ?? throw new JsonException("It is null.");
        }
        catch (JsonException exception)
        {
            throw new UnexpectedResponseException($"{Server} gave an answer of an unknown form ({(int)Status}). {exception.Message}", Server.Address, exception);
        }
    }
}

/// <summary>The request has failed, and can be repeated.</summary>
/// <param name="Kind">The cause.</param>
/// <param name="IsRefused">Whether the server has certainly not accepted anything. Otherwise the outcome is unknown.</param>
/// <param name="Reason">A sentence without its first word, which is the server.</param>
/// <param name="RetryAfter">How long the server asks to wait, or null.</param>
/// <param name="Count">The number of changes that a bulk request made before it failed.</param>
internal sealed record Failure(MeshServer Server, FailureKind Kind, bool IsRefused, string Reason, TimeSpan? RetryAfter = null, int Count = 0, Exception? Exception = null) : Reply(Server);

internal enum FailureKind
{
    None,

    /// <summary>No connection was made, it was lost, or no answer came in time.</summary>
    Connection,

    /// <summary>The server answered that it cannot process the request now.</summary>
    Unavailable,

    /// <summary>A limit of the server is reached.</summary>
    Full,
}
