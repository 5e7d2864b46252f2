using System.Text.Json;

namespace Mesh.Protocol;

/// <summary>
/// Reads TASKS. A worker sends the same array with each get_task, so the sets of the last arrays are kept by their text. Reading one of these again takes no lock and allocates nothing.
/// </summary>
internal static class TaskTypesReader
{
    /// <summary>The maximum length of an array that is kept, in bytes. The longest types need 4.3 KiB.</summary>
    private const int MaxKeptBytes = 8 * 1024;

    /// <summary>Each array has one slot, by its hash. A new array replaces the one that was read before it.</summary>
    private static readonly KeptArray?[] Kept = new KeptArray?[256];

    // ["QUERY", "UPDATE", …]. Strings that are not valid types are ignored.
    public static FieldState Read(ref Utf8JsonReader json, ReadOnlySpan<byte> message, ref TaskTypeSet types)
    {
        if (json.TokenType != JsonTokenType.StartArray)
        {
            return JsonValueReader.Wrong(ref json, FieldFault.NotArray);
        }

        var start = (int)json.TokenStartIndex;
        return JsonValueReader.TrySkip(ref json) ? ReadArray(message[start..(int)json.BytesConsumed], ref types) : new(FieldFault.TooDeep);
    }

    private static FieldState ReadArray(ReadOnlySpan<byte> array, ref TaskTypeSet types)
    {
        var hash = default(HashCode);
        hash.AddBytes(array);
        ref var slot = ref Kept[(uint)hash.ToHashCode() % (uint)Kept.Length];
        if (Volatile.Read(ref slot) is { } kept && array.SequenceEqual(kept.Text))
        {
            types = kept.Types;
            return FieldState.Valid;
        }

        var state = ReadItems(array, ref types);
        if (state.IsValid && array.Length <= MaxKeptBytes)
        {
            Volatile.Write(ref slot, new(array.ToArray(), types));
        }

        return state;
    }

    private static FieldState ReadItems(ReadOnlySpan<byte> array, ref TaskTypeSet types)
    {
        var json = new Utf8JsonReader(array);
        json.Read();
        var found = new HashSet<TaskType>();
        while (json.Read() && json.TokenType != JsonTokenType.EndArray)
        {
            var word = Keyword.Unknown;
            var type = default(TaskType);
            var item = JsonValueReader.TaskWord(ref json, ref word, ref type);
            if (!item.IsValid && item.FieldFault != FieldFault.UnknownKeyword)
            {
                return new(FieldFault.NotText, FieldPart.Item);
            }

            if (type != default && found.Add(type) && found.Count > ProtocolLimits.MaxTaskTypes)
            {
                return new(FieldFault.TooManyTypes);
            }
        }

        types = TaskTypeSet.Of(found);
        return FieldState.Valid;
    }

    private sealed record KeptArray(byte[] Text, TaskTypeSet Types);
}
