using System.Text;
using Mesh.Protocol;

namespace Mesh.Fuzz;

/// <summary>Checks the conditions that each message of the server must meet.</summary>
internal static class ResponseChecker
{
    private static readonly HashSet<string> Fields =
    [
        "message", "WORKER", "STATUS", "TASK", "RESPONSE", "WORKER_UUID", "SERVER_UUID", "WORKERS_UUID", "USER", "AMOUNT", "TASK_ID", "TASKS", "RESULT", "ERROR", "HANDED_BACK",
        "FRAMING", "WORKERS_NEEDED", "LOAD", "SERVER_REDIRECT", "SERVER_RETURN", "REQUESTOR_INFO", "TRACEPARENT", "ATTEMPT", "PAYLOAD", "PROGRESS", "CANCEL", "RETRY", "RETRY_AFTER", "THEN",
    ];

    /// <summary>Checks and counts a message. Returns whether it is an error.</summary>
    /// <exception cref="FuzzAssertionException">The text is not a valid message, or it is an error that does not name a field.</exception>
    public static bool Check(ReadOnlySpan<byte> text, ResponseCounter tally)
    {
        if (!MessageReader.TryRead(text, out var message, out var error))
        {
            throw new FuzzAssertionException($"the answer is not a valid message: {error}: {Encoding.UTF8.GetString(text)}");
        }

        tally.Count(message.GetType().Name);
        if (message is not Rejection rejection)
        {
            return false;
        }

        var name = rejection.Error.AsSpan(0, rejection.Error.AsSpan().IndexOfAny(" .[:") is >= 0 and var end ? end : rejection.Error.Length);
        FuzzAssertionException.ThrowIf(!Fields.Contains(name.ToString()), $"the error does not name a field: {rejection.Error}");
        return true;
    }

    public static void CheckNamesField(string answer, string field) => FuzzAssertionException.ThrowIf(
        !answer.StartsWith($"{{\"STATUS\": \"NOK\", \"ERROR\": \"{field}", StringComparison.Ordinal), $"the error does not name {field}: {answer}");
}

/// <summary>A check of a case has failed.</summary>
internal sealed class FuzzAssertionException(string message) : Exception(message)
{
    public static void ThrowIf(bool broken, string message)
    {
        if (broken)
        {
            throw new FuzzAssertionException(message);
        }
    }
}
