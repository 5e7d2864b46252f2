using System.Collections.Concurrent;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Mesh.Tests.Integration.AppHost;

internal sealed record Span(string Service, string Trace, string Id, string Parent, string Name);

/// <summary>Takes the spans that processes export, by OTLP over HTTP (https://opentelemetry.io/docs/specs/otlp/), and reads the little of them that tests look at.</summary>
internal sealed class SpanReceiver : IAsyncDisposable
{
    private readonly ConcurrentQueue<Span> _spans = new();
    private readonly WebApplication _app;

    private SpanReceiver()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        _app = builder.Build();
        _app.MapPost("/v1/traces", TakeAsync);
        _app.MapPost("/v1/{rest}", () => Results.Ok());
    }

    /// <summary>For OTEL_EXPORTER_OTLP_ENDPOINT, with the protocol "http/protobuf".</summary>
    public string Endpoint => _app.Urls.Single();

    public IReadOnlyCollection<Span> Spans => _spans;

    public static async Task<SpanReceiver> StartAsync()
    {
        var receiver = new SpanReceiver();
        await receiver._app.StartAsync();
        return receiver;
    }

    /// <summary>Waits for a trace that is as the test wants it.</summary>
    public async Task<Span[]> TraceAsync(string awaited, Func<Span[], bool> satisfies)
    {
        Span[]? Found() => _spans.GroupBy(span => span.Trace).Select(trace => trace.ToArray()).FirstOrDefault(satisfies);
        return (await Eventually.GetAsync(
            awaited, () => Task.FromResult(Found()), trace => trace is not null,
            details: () => string.Join('\n', _spans.GroupBy(span => span.Name).Select(spans => $"{spans.Count()} {spans.Key}"))))!;
    }

    public ValueTask DisposeAsync() => _app.DisposeAsync();

    private async Task<IResult> TakeAsync(HttpRequest request)
    {
        using var body = new MemoryStream();
        await request.Body.CopyToAsync(body, request.HttpContext.RequestAborted);
        foreach (var ofResource in Fields(body.ToArray(), 1))
        {
            var attributes = Fields(ofResource, 1).SelectMany(resource => Fields(resource, 1));
            var service = attributes.Where(pair => Text(pair, 1) == "service.name").Select(pair => Text(Fields(pair, 2).Single(), 1)).Single();
            foreach (var span in Fields(ofResource, 2).SelectMany(scope => Fields(scope, 2)))
            {
                _spans.Enqueue(new Span(service, Hex(span, 1), Hex(span, 2), Hex(span, 4), Text(span, 5)));
            }
        }

        return Results.Ok();
    }

    private static string Text(ReadOnlyMemory<byte> message, int field) =>
        Encoding.UTF8.GetString(Fields(message, field).Select(value => value.ToArray()).LastOrDefault([]));

    private static string Hex(ReadOnlyMemory<byte> message, int field) =>
        Convert.ToHexStringLower(Fields(message, field).Select(value => value.ToArray()).LastOrDefault([]));

    /// <summary>The texts, bytes or messages of one field (https://protobuf.dev/programming-guides/encoding/).</summary>
    private static List<ReadOnlyMemory<byte>> Fields(ReadOnlyMemory<byte> message, int field)
    {
        var found = new List<ReadOnlyMemory<byte>>();
        for (var at = 0; at < message.Length;)
        {
            var tag = Varint(message.Span, ref at);
            var length = (tag & 7) switch
            {
                0 => Skip(message.Span, at),
                1 => 8,
                2 => (int)Varint(message.Span, ref at),
                5 => 4,
                var type => throw new InvalidDataException($"Protobuf has no wire type {type}."),
            };
            if ((int)(tag >> 3) == field && (tag & 7) == 2)
            {
                found.Add(message.Slice(at, length));
            }

            at += length;
        }

        return found;
    }

    private static int Skip(ReadOnlySpan<byte> bytes, int at)
    {
        var end = at;
        Varint(bytes, ref end);
        return end - at;
    }

    private static ulong Varint(ReadOnlySpan<byte> bytes, ref int at)
    {
        ulong value = 0;
        for (var shift = 0; ; shift += 7)
        {
            var next = bytes[at++];
            value |= (ulong)(next & 0x7F) << shift;
            if (next < 0x80)
            {
                return value;
            }
        }
    }
}
