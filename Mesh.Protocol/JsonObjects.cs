using System.Buffers;
using System.Text.Json;

namespace Mesh.Protocol;

/// <summary>Reads the objects and arrays that fields hold, as <see cref="JsonValues"/> reads single values.</summary>
internal static class JsonObjects
{
    private const int MaxHostBytes = 255;

    // {"ip": host, "port": 1…65535}
    public static FieldState Endpoint(ref Utf8JsonReader json, ref MeshEndpoint endpoint)
    {
        if (json.TokenType != JsonTokenType.StartObject)
        {
            return JsonValues.Wrong(ref json, Fault.NotObject);
        }

        string host = "";
        var port = 0;
        var hostState = default(FieldState);
        var portState = default(FieldState);
        var (hasIp, hasPort) = (false, false);
        while (json.Read() && json.TokenType == JsonTokenType.PropertyName)
        {
            Part? twice = null;
            if (JsonValues.NameIs(ref json, WireNames.Ip))
            {
                json.Read();
                twice = Once(ref hasIp, Part.Ip);
                hostState = JsonValues.Text(ref json, MaxHostBytes, mayBeEmpty: false, ref host);
            }
            else if (JsonValues.NameIs(ref json, WireNames.Port))
            {
                json.Read();
                twice = Once(ref hasPort, Part.Port);
                portState = JsonValues.Whole(ref json, 1, ushort.MaxValue, ref port);
            }
            else if (!SkipMember(ref json))
            {
                return new(Fault.TooDeep);
            }

            if (IsTooDeep(hostState, portState))
            {
                return new(Fault.TooDeep);
            }

            if (twice is { } part)
            {
                return new(Fault.Twice, part);
            }
        }

        endpoint = new MeshEndpoint(host, port);
        return Both(hostState, Part.Ip, portState, Part.Port);
    }

    // {"QUEUE": n, "IDLE": n}
    public static FieldState Load(ref Utf8JsonReader json, ref ServerLoad load)
    {
        if (json.TokenType != JsonTokenType.StartObject)
        {
            return JsonValues.Wrong(ref json, Fault.NotObject);
        }

        var queue = 0;
        var idle = 0;
        var queueState = default(FieldState);
        var idleState = default(FieldState);
        var (hasQueue, hasIdle) = (false, false);
        while (json.Read() && json.TokenType == JsonTokenType.PropertyName)
        {
            Part? twice = null;
            if (JsonValues.NameIs(ref json, WireNames.Queue))
            {
                json.Read();
                twice = Once(ref hasQueue, Part.Queue);
                queueState = JsonValues.Whole(ref json, 0, int.MaxValue, ref queue);
            }
            else if (JsonValues.NameIs(ref json, WireNames.Idle))
            {
                json.Read();
                twice = Once(ref hasIdle, Part.Idle);
                idleState = JsonValues.Whole(ref json, 0, int.MaxValue, ref idle);
            }
            else if (!SkipMember(ref json))
            {
                return new(Fault.TooDeep);
            }

            if (IsTooDeep(queueState, idleState))
            {
                return new(Fault.TooDeep);
            }

            if (twice is { } part)
            {
                return new(Fault.Twice, part);
            }
        }

        load = new ServerLoad(queue, idle);
        return Both(queueState, Part.Queue, idleState, Part.Idle);
    }

    // ["QUERY", "UPDATE", …], where types that we don't know count for nothing
    public static FieldState TaskTypes(ref Utf8JsonReader json, ref TaskTypes types)
    {
        if (json.TokenType != JsonTokenType.StartArray)
        {
            return JsonValues.Wrong(ref json, Fault.NotArray);
        }

        types = Protocol.TaskTypes.None;
        var state = FieldState.Good;
        while (json.Read() && json.TokenType != JsonTokenType.EndArray)
        {
            var word = Word.Unknown;
            var item = JsonValues.Word(ref json, ref word);
            types |= Words.ToTaskTypes(word);
            if (!item.IsGood && item.Fault != Fault.UnknownWord)
            {
                if (item.Fault == Fault.TooDeep)
                {
                    return item;
                }

                state = new(Fault.NotText, Part.Item);
            }
        }

        return state;
    }

    // [id, …]
    public static FieldState Workers(ref Utf8JsonReader json, ref WorkerList workers)
    {
        if (json.TokenType != JsonTokenType.StartArray)
        {
            return JsonValues.Wrong(ref json, Fault.NotArray);
        }

        var items = ArrayPool<WorkerId>.Shared.Rent(16);
        var count = 0;
        try
        {
            var state = FieldState.Good;
            while (json.Read() && json.TokenType != JsonTokenType.EndArray)
            {
                var id = "";
                var item = JsonValues.Text(ref json, ProtocolLimits.MaxIdBytes, mayBeEmpty: false, ref id);
                if (item.Fault == Fault.TooDeep)
                {
                    return item;
                }

                if (!item.IsGood)
                {
                    // A null is no absent item: the list has a hole.
                    state = new(item.IsMissing ? Fault.NotText : item.Fault, Part.Item);
                    continue;
                }

                if (count == items.Length)
                {
                    items = Grow(items);
                }

                items[count++] = new WorkerId(id);
            }

            workers = count == 0 ? default : WorkerList.Create(items.AsSpan(0, count));
            return state;
        }
        finally
        {
            ArrayPool<WorkerId>.Shared.Return(items, clearArray: true);
        }
    }

    private static WorkerId[] Grow(WorkerId[] items)
    {
        var larger = ArrayPool<WorkerId>.Shared.Rent(items.Length * 2);
        items.CopyTo(larger, 0);
        ArrayPool<WorkerId>.Shared.Return(items, clearArray: true);
        return larger;
    }

    private static bool SkipMember(ref Utf8JsonReader json)
    {
        json.Read();
        return JsonValues.TrySkip(ref json);
    }

    private static Part? Once(ref bool has, Part part)
    {
        var twice = has;
        has = true;
        return twice ? part : null;
    }

    private static bool IsTooDeep(FieldState one, FieldState other) => one.Fault == Fault.TooDeep || other.Fault == Fault.TooDeep;

    private static FieldState Both(FieldState one, Part onePart, FieldState other, Part otherPart) =>
        one.IsGood ? other.In(otherPart) : one.In(onePart);
}
