using System.Text;

namespace Mesh.Protocol;

/// <summary>
/// The type of a task: a letter followed by up to 63 letters, digits, dots, underscores and hyphens, in ASCII. A type is none of the words that TASK has in other messages
/// (docs/protocol.md, "Tasks of any type"). The comparison is case-sensitive.
/// </summary>
/// <param name="Name">The name, as in TASK.</param>
public readonly record struct TaskType(string Name)
{
    /// <summary>The maximum length of a name, in characters.</summary>
    public const int MaxLength = 64;

    /// <summary>QUERY: reads an account's balance.</summary>
    public static readonly TaskType Query = new("QUERY");

    /// <summary>UPDATE: adds an amount to an account's balance.</summary>
    public static readonly TaskType Update = new("UPDATE");

    /// <summary>Each name has one slot, by its hash. A new name replaces the one that was read before it.</summary>
    private static readonly string?[] Kept = new string?[1024];

    /// <summary>Returns a task type, or null when the text is not a valid name. Allocates nothing for a name that was read lately.</summary>
    public static TaskType? Parse(ReadOnlySpan<byte> name)
    {
        if (name.Length > MaxLength)
        {
            return null;
        }

        Span<char> text = stackalloc char[MaxLength];
        return Ascii.IsValid(name) ? Parse(text[..Encoding.ASCII.GetChars(name, text)]) : null;
    }

    /// <summary>Returns a task type, or null when the text is not a valid name. Allocates nothing for a name that was read lately.</summary>
    public static TaskType? Parse(ReadOnlySpan<char> name)
    {
        if (name.Length > MaxLength)
        {
            return null;
        }

        ref var slot = ref Kept[(uint)string.GetHashCode(name) % (uint)Kept.Length];
        if (Volatile.Read(ref slot) is { } kept && name.SequenceEqual(kept))
        {
            return new(kept);
        }

        if (!IsValid(name))
        {
            return null;
        }

        var text = name.ToString();
        Volatile.Write(ref slot, text);
        return new(text);
    }

    public override string ToString() => Name;

    private static bool IsValid(ReadOnlySpan<char> name)
    {
        if (name.IsEmpty || !char.IsAsciiLetter(name[0])
            || name is "NO_TASK" or "REDIRECT" or "RETURN" or "HEARTBEAT" or "WORKER_REQUEST" or "COMMAND_RELEASE")
        {
            return false;
        }

        foreach (var character in name[1..])
        {
            if (!char.IsAsciiLetterOrDigit(character) && character is not ('.' or '_' or '-'))
            {
                return false;
            }
        }

        return true;
    }
}
