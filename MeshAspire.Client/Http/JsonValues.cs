using System.Diagnostics.CodeAnalysis;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace MeshAspire.Client;

/// <summary>Converts the results of tasks to the types of the caller.</summary>
internal static class JsonValues
{
    public const string Reflection = "JSON serialization of the type can need code that trimming removes, or code at run time. Use the overload with a JsonTypeInfo.";

    [RequiresUnreferencedCode(Reflection)]
    [RequiresDynamicCode(Reflection)]
    public static TResult? Read<TResult>(MeshTask task, JsonSerializerOptions? options)
    {
        try
        {
            return task.Result is { } result ? result.Deserialize<TResult>(options ?? JsonSerializerOptions.Web) : default;
        }
        catch (JsonException exception)
        {
            throw WrongType<TResult>(task, exception);
        }
    }

    public static TResult? Read<TResult>(MeshTask task, JsonTypeInfo<TResult> info)
    {
        try
        {
            return task.Result is { } result ? result.Deserialize(info) : default;
        }
        catch (JsonException exception)
        {
            throw WrongType<TResult>(task, exception);
        }
    }

    private static UnexpectedResponseException WrongType<TResult>(MeshTask task, JsonException exception) =>
        new($"Task {task.Id} ({task.Type}) is done, but its result is not a {typeof(TResult).Name}. {exception.Message}", task.Server, exception);
}
