using System.Buffers.Text;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Text;
using Mesh.Protocol;
using Mesh.Server.Core.Tasks;

namespace Mesh.Server.Storage;

/// <summary>The dead letters to read.</summary>
/// <param name="After">The page begins after this dead letter. Null for the first page.</param>
/// <param name="Type">Only dead letters of this type, or null for all.</param>
/// <param name="Limit">The largest number of dead letters.</param>
internal sealed record DeadLetterQuery(DeadLetterCursor? After, TaskType? Type, int Limit)
{
    /// <summary>Only dead letters of this one's server that were not accepted after it, or null for those of all servers.</summary>
    public DeadLetterCursor? Until { get; init; }
}

/// <summary>A page of dead letters, oldest first.</summary>
/// <param name="Tasks">The dead letters. There can be fewer than the limit, or none, although another page follows.</param>
/// <param name="Next">The position of the next page, or null when there are no more dead letters.</param>
internal sealed record DeadLetterPage(IReadOnlyList<TaskRecord> Tasks, DeadLetterCursor? Next);

/// <summary>
/// A position in the order of the dead letters: those of this server first, then those of the servers that it has adopted, by name, each in the order of their acceptance.
/// </summary>
/// <param name="Server">The server that stores the dead letter.</param>
internal sealed record DeadLetterCursor(ServerId Server, long Sequence, string Id)
{
    private const char Separator = '\n';

    /// <summary>The text for clients, which may stand in a URL.</summary>
    public override string ToString() =>
        Base64Url.EncodeToString(Encoding.UTF8.GetBytes(string.Join(Separator, Server.Value, Sequence.ToString(CultureInfo.InvariantCulture), Id)));

    public static bool TryParse(string text, [NotNullWhen(true)] out DeadLetterCursor? cursor)
    {
        cursor = null;
        if (!Base64Url.IsValid(text)
            || Encoding.UTF8.GetString(Base64Url.DecodeFromChars(text)).Split(Separator) is not [{ Length: > 0 } server, var order, { Length: > 0 } id]
            || !long.TryParse(order, NumberStyles.None, CultureInfo.InvariantCulture, out var sequence))
        {
            return false;
        }

        cursor = new(new ServerId(server), sequence, id);
        return true;
    }
}

/// <summary>Collects a page of dead letters from the stored dead letters of several servers.</summary>
internal static class DeadLetterPages
{
    /// <summary>The number of dead letters that are read from the store at once.</summary>
    public const int ReadSize = 100;

    /// <summary>The number of dead letters after which a page ends, also when few of them are of the requested type.</summary>
    public const int MaxExamined = 10_000;

    /// <param name="servers">The servers whose dead letters are readable, this server first. The server of the position may have left since the last page.</param>
    /// <param name="read">
    /// Returns the next <see cref="ReadSize"/> dead letters of a server after a position, oldest first, and fewer only at the end. A null stands for one that was removed meanwhile.
    /// </param>
    public static async Task<DeadLetterPage> CollectAsync(
        DeadLetterQuery query, IReadOnlyList<ServerId> servers, Func<ServerId, DeadLetterCursor?, Task<IReadOnlyList<(DeadLetterCursor At, TaskRecord? Task)>>> read)
    {
        var tasks = new List<TaskRecord>();
        var (examined, last) = (0, query.After);
        foreach (var server in servers.Skip(1).OrderBy(server => server.Value, StringComparer.Ordinal).Prepend(servers[0])
            .SkipWhile(server => query.After is { } after && server != after.Server && (server == servers[0] || string.CompareOrdinal(server.Value, after.Server.Value) < 0))
            .Where(server => query.Until is null || server == query.Until.Server))
        {
            var position = query.After is { } start && start.Server == server ? start : null;
            IReadOnlyList<(DeadLetterCursor At, TaskRecord? Task)> some;
            do
            {
                if (examined >= MaxExamined)
                {
                    return new(tasks, last);
                }

                some = await read(server, position);
                foreach (var (at, task) in some)
                {
                    if (at.Sequence > query.Until?.Sequence)
                    {
                        return new(tasks, Next: null);
                    }

                    if (task is not null && (query.Type is null || task.Type == query.Type))
                    {
                        if (tasks.Count == query.Limit)
                        {
                            return new(tasks, last);
                        }

                        tasks.Add(task);
                    }

                    (position, last) = (at, at);
                    examined++;
                }
            }
            while (some.Count == ReadSize);
        }

        return new(tasks, Next: null);
    }

    /// <summary>Returns the oldest dead letters.</summary>
    public static async Task<IReadOnlyList<TaskRecord>> ListDeadAsync(this IMeshStore store, int limit, CancellationToken cancellationToken) =>
        (await store.ReadDeadAsync(new(After: null, Type: null, limit), cancellationToken)).Tasks;
}
