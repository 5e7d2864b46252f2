using System.Buffers;
using System.Text.Json;

namespace Mesh.Protocol;

/// <summary>Reads the objects in fields, and WORKERS_UUID. <see cref="JsonValueReader"/> reads single values.</summary>
internal static class JsonObjectReader
{
    private const int MaxHostBytes = 255;

    // {"ip": host, "port": 1…65535}
    public static FieldState Endpoint(ref Utf8JsonReader json, ref MeshEndpoint endpoint)
    {
        if (json.TokenType != JsonTokenType.StartObject)
        {
            return JsonValueReader.Wrong(ref json, FieldFault.NotObject);
        }

        string host = "";
        var port = 0;
        var hostState = default(FieldState);
        var portState = default(FieldState);
        var (hasIp, hasPort) = (false, false);
        while (json.Read() && json.TokenType == JsonTokenType.PropertyName)
        {
            FieldPart? twice = null;
            if (JsonValueReader.NameIs(ref json, WireNames.Ip))
            {
                json.Read();
                twice = Once(ref hasIp, FieldPart.Ip);
                hostState = JsonValueReader.Text(ref json, MaxHostBytes, mayBeEmpty: false, ref host);
            }
            else if (JsonValueReader.NameIs(ref json, WireNames.Port))
            {
                json.Read();
                twice = Once(ref hasPort, FieldPart.Port);
                portState = JsonValueReader.Whole(ref json, 1, ushort.MaxValue, ref port);
            }
            else if (!SkipMember(ref json))
            {
                return new(FieldFault.TooDeep);
            }

            if (IsTooDeep(hostState, portState))
            {
                return new(FieldFault.TooDeep);
            }

            if (twice is { } part)
            {
                return new(FieldFault.Duplicate, part);
            }
        }

        endpoint = new MeshEndpoint(host, port);
        return Both(hostState, FieldPart.Ip, portState, FieldPart.Port);
    }

    // {"QUEUE": n, "IDLE": n}
    public static FieldState Load(ref Utf8JsonReader json, ref ServerLoad load)
    {
        if (json.TokenType != JsonTokenType.StartObject)
        {
            return JsonValueReader.Wrong(ref json, FieldFault.NotObject);
        }

        var queue = 0;
        var idle = 0;
        var queueState = default(FieldState);
        var idleState = default(FieldState);
        var (hasQueue, hasIdle) = (false, false);
        while (json.Read() && json.TokenType == JsonTokenType.PropertyName)
        {
            FieldPart? twice = null;
            if (JsonValueReader.NameIs(ref json, WireNames.Queue))
            {
                json.Read();
                twice = Once(ref hasQueue, FieldPart.Queue);
                queueState = JsonValueReader.Whole(ref json, 0, int.MaxValue, ref queue);
            }
            else if (JsonValueReader.NameIs(ref json, WireNames.Idle))
            {
                json.Read();
                twice = Once(ref hasIdle, FieldPart.Idle);
                idleState = JsonValueReader.Whole(ref json, 0, int.MaxValue, ref idle);
            }
            else if (!SkipMember(ref json))
            {
                return new(FieldFault.TooDeep);
            }

            if (IsTooDeep(queueState, idleState))
            {
                return new(FieldFault.TooDeep);
            }

            if (twice is { } part)
            {
                return new(FieldFault.Duplicate, part);
            }
        }

        load = new ServerLoad(queue, idle);
        return Both(queueState, FieldPart.Queue, idleState, FieldPart.Idle);
    }

    // [id, …]
    public static FieldState Workers(ref Utf8JsonReader json, ref WorkerList workers)
    {
        if (json.TokenType != JsonTokenType.StartArray)
        {
            return JsonValueReader.Wrong(ref json, FieldFault.NotArray);
        }

        var items = ArrayPool<WorkerId>.Shared.Rent(16);
        var count = 0;
        try
        {
            var state = FieldState.Valid;
            while (json.Read() && json.TokenType != JsonTokenType.EndArray)
            {
                var id = "";
                var item = JsonValueReader.Text(ref json, ProtocolLimits.MaxIdBytes, mayBeEmpty: false, ref id);
                if (item.FieldFault == FieldFault.TooDeep)
                {
                    return item;
                }

                if (!item.IsValid)
                {
                    // A null is an invalid item, because an item cannot be absent.
                    state = new(item.IsMissing ? FieldFault.NotText : item.FieldFault, FieldPart.Item);
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
        return JsonValueReader.TrySkip(ref json);
    }

    private static FieldPart? Once(ref bool has, FieldPart part)
    {
        var twice = has;
        has = true;
        return twice ? part : null;
    }

    private static bool IsTooDeep(FieldState one, FieldState other) => one.FieldFault == FieldFault.TooDeep || other.FieldFault == FieldFault.TooDeep;

    private static FieldState Both(FieldState one, FieldPart onePart, FieldState other, FieldPart otherPart) =>
        one.IsValid ? other.In(otherPart) : one.In(onePart);
}
