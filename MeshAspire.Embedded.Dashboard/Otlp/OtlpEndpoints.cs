using Google.Protobuf;
using MeshAspire.Embedded.Dashboard.Access;
using MeshAspire.Embedded.Dashboard.Otlp.Intake;
using OpenTelemetry.Proto.Collector.Logs.V1;
using OpenTelemetry.Proto.Collector.Metrics.V1;
using OpenTelemetry.Proto.Collector.Trace.V1;

namespace MeshAspire.Embedded.Dashboard.Otlp;

/// <summary>OTLP by gRPC and by HTTP with protobuf bodies (https://opentelemetry.io/docs/specs/otlp/).</summary>
internal static class OtlpEndpoints
{
    /// <summary>Bytes of one request, unpacked.</summary>
    public const int RequestLimit = 8 << 20;

    private const string Protobuf = "application/x-protobuf";

    public static void MapOtlp(this IEndpointRouteBuilder routes)
    {
        routes.MapGrpcService<OtlpTraceService>().WithMetadata(Door.Otlp);
        routes.MapGrpcService<OtlpLogsService>().WithMetadata(Door.Otlp);
        routes.MapGrpcService<OtlpMetricsService>().WithMetadata(Door.Otlp);
        var ingest = routes.ServiceProvider.GetRequiredService<OtlpIngest>();
        Map(routes, "/v1/traces", TraceIntake.Parser, ingest.Add, new ExportTraceServiceResponse());
        Map(routes, "/v1/logs", ExportLogsServiceRequest.Parser, ingest.Add, new ExportLogsServiceResponse());
        Map(routes, "/v1/metrics", ExportMetricsServiceRequest.Parser, ingest.Add, new ExportMetricsServiceResponse());
    }

    private static void Map<T>(IEndpointRouteBuilder routes, string path, MessageParser<T> parser, Action<T> add, IMessage answer)
        where T : IMessage<T> =>
        routes.MapPost(path, async (HttpContext context) =>
        {
            if (context.Request.ContentType?.Split(';')[0].Trim() != Protobuf)
            {
                return Results.Problem($"The content type must be {Protobuf}.", statusCode: StatusCodes.Status415UnsupportedMediaType);
            }

            try
            {
                using var body = new MemoryStream();
                await context.Request.Body.CopyToAsync(body, context.RequestAborted);
                add(parser.ParseFrom(body.GetBuffer().AsSpan(0, (int)body.Length)));
            }
            catch (InvalidProtocolBufferException exception)
            {
                return Results.Problem(exception.Message, statusCode: StatusCodes.Status400BadRequest);
            }

            return Results.Bytes(answer.ToByteArray(), Protobuf);
        }).WithMetadata(Door.Otlp).DisableAntiforgery();
}
