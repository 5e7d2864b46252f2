using System.Diagnostics;
using OpenTelemetry.Trace;

namespace Mesh.Telemetry;

/// <summary>
/// Drops the span of a Redis command whose parent is missing or not recorded. A server sends such commands all the time, to write its state and to renew its claim; each would be
/// a trace of its own, and hide those of tasks and loans. A command below a recorded span, as the UPDATE of a task, is kept. All other spans are left to the inner sampler.
/// </summary>
/// <remarks>Called for each span that is started, so it allocates nothing. Aspire.StackExchange.Redis does not make the filter of its instrumentation available.</remarks>
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
        // By index, since an enumerator would be allocated. The instrumentation gives its tags as a list.
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

    // The older and the newer name of OpenTelemetry's conventions; OTEL_SEMCONV_STABILITY_OPT_IN chooses.
    private static bool IsRedis(KeyValuePair<string, object?> tag) => tag.Key is "db.system" or "db.system.name" && tag.Value is Redis;
}
