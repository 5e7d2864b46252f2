using System.Diagnostics;
using OpenTelemetry.Trace;

namespace MeshAspire.ServiceDefaults;

/// <summary>
/// Drops the span of a Redis command that has no recorded parent. A server continuously sends such commands to write its state and to renew its lease. Each would be a trace
/// of its own and hide the traces of tasks and loans. A command with a recorded parent, such as the UPDATE of a task, is kept. The inner sampler decides on all other spans.
/// </summary>
/// <remarks>It is called for each span and does not allocate. A filter of the instrumentation is not possible, because Aspire.StackExchange.Redis does not expose its options.</remarks>
/// <param name="inner">The sampler that the SDK has chosen, by OTEL_TRACES_SAMPLER or by default.</param>
internal sealed class RedisCommandSampler(Sampler inner) : Sampler
{
    private const string Redis = "redis";

    public override SamplingResult ShouldSample(in SamplingParameters samplingParameters) =>
        samplingParameters.Kind == ActivityKind.Client
        && (samplingParameters.ParentContext.TraceFlags & ActivityTraceFlags.Recorded) == 0
        && samplingParameters.Tags is { } tags && IsRedis(tags)
            ? new SamplingResult(SamplingDecision.Drop)
            : inner.ShouldSample(samplingParameters);

    private static bool IsRedis(IEnumerable<KeyValuePair<string, object?>> tags)
    {
        // The loop uses an index, because an enumerator would be allocated. The instrumentation passes its tags as a list.
        if (tags is IReadOnlyList<KeyValuePair<string, object?>> list)
        {
            for (var i = 0; i < list.Count; i++)
            {
                if (IsRedis(list[i]))
                {
                    return true;
                }
            }

            return false;
        }

        return tags.Any(IsRedis);
    }

    // The older and the newer name in OpenTelemetry's conventions. OTEL_SEMCONV_STABILITY_OPT_IN selects one.
    private static bool IsRedis(KeyValuePair<string, object?> tag) => tag.Key is "db.system" or "db.system.name" && tag.Value is Redis;
}
