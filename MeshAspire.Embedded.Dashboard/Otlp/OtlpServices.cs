using Google.Protobuf;
using Grpc.Core;
using MeshAspire.Embedded.Dashboard.Otlp.Intake;
using OpenTelemetry.Proto.Collector.Logs.V1;
using OpenTelemetry.Proto.Collector.Metrics.V1;
using OpenTelemetry.Proto.Collector.Trace.V1;

namespace MeshAspire.Embedded.Dashboard.Otlp;

/// <summary>
/// opentelemetry.proto.collector.trace.v1.TraceService, which reads its requests as <see cref="TraceIntake"/>. Not sealed: gRPC calls virtual methods alone.
/// </summary>
[BindServiceMethod(typeof(OtlpTraceService), nameof(Bind))]
internal class OtlpTraceService(OtlpIngest ingest)
{
    private static readonly Method<TraceIntake, ExportTraceServiceResponse> ExportMethod = new(
        MethodType.Unary,
        TraceService.Descriptor.FullName,
        nameof(Export),
        Marshallers.Create((request, context) => context.Complete(request.ToByteArray()), context => TraceIntake.Parser.ParseFrom(context.PayloadAsReadOnlySequence())),
        Marshallers.Create((answer, context) => context.Complete(answer.ToByteArray()), context => ExportTraceServiceResponse.Parser.ParseFrom(context.PayloadAsReadOnlySequence())));

    public static void Bind(ServiceBinderBase binder, OtlpTraceService? service) =>
        binder.AddMethod(ExportMethod, service is null ? null : new UnaryServerMethod<TraceIntake, ExportTraceServiceResponse>(service.Export));

    public virtual Task<ExportTraceServiceResponse> Export(TraceIntake request, ServerCallContext context)
    {
        ingest.Add(request);
        return Task.FromResult(new ExportTraceServiceResponse());
    }
}

internal sealed class OtlpLogsService(OtlpIngest ingest) : LogsService.LogsServiceBase
{
    public override Task<ExportLogsServiceResponse> Export(ExportLogsServiceRequest request, ServerCallContext context)
    {
        ingest.Add(request);
        return Task.FromResult(new ExportLogsServiceResponse());
    }
}

internal sealed class OtlpMetricsService(OtlpIngest ingest) : MetricsService.MetricsServiceBase
{
    public override Task<ExportMetricsServiceResponse> Export(ExportMetricsServiceRequest request, ServerCallContext context)
    {
        ingest.Add(request);
        return Task.FromResult(new ExportMetricsServiceResponse());
    }
}
