using System.Diagnostics;
using Mesh.Tests.Fixtures;
using MeshAspire.ServiceDefaults;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using OpenTelemetry.Trace;

namespace Mesh.Tests.ServiceDefaults;

public sealed class RedisCommandSamplerTests
{
    private const int Spans = 10_000;

    private static readonly ActivityContext Recorded = Remote(ActivityTraceFlags.Recorded);
    private static readonly ActivityContext NotRecorded = Remote(ActivityTraceFlags.None);

    // The collection types of the tags of the Redis instrumentation and of others.
    private static readonly IEnumerable<KeyValuePair<string, object?>> Old = [new("db.system", "redis")];
    private static readonly IEnumerable<KeyValuePair<string, object?>> New = [new("db.operation.name", "EVAL"), new("db.system.name", "redis")];
    private static readonly IEnumerable<KeyValuePair<string, object?>> OtherSystem = new List<KeyValuePair<string, object?>> { new("db.system", "postgresql") };

    public static TheoryData<IEnumerable<KeyValuePair<string, object?>>> RedisTags => new() { Old, New, Old.Concat(New), new TagList { { "db.system", "redis" } } };

    [Theory]
    [InlineData(null, null, true, true, false)]
    [InlineData("always_on", null, true, true, true)]
    [InlineData("ALWAYS_ON", null, true, true, true)]
    [InlineData("always_off", null, false, false, false)]
    [InlineData("traceidratio", "0", false, false, false)]
    [InlineData("traceidratio", "1", true, true, true)]
    [InlineData("traceidratio", null, true, true, true)]
    [InlineData("traceidratio", "2", true, true, true)]
    [InlineData("parentbased_always_on", null, true, true, false)]
    [InlineData("parentbased_always_off", null, false, true, false)]
    [InlineData("parentbased_traceidratio", "0", false, true, false)]
    [InlineData("parentbased_traceidratio", "1", true, true, false)]
    [InlineData("sometimes", null, true, true, false)]
    public void Spans_EachConfiguredSampler_DecidesAllButParentlessCommands(
        string? sampler, string? argument, bool root, bool belowRecorded, bool belowNotRecorded)
    {
        var name = RedisFixture.Unique("sampled");
        var builder = Host.CreateApplicationBuilder(new HostApplicationBuilderSettings { ApplicationName = name, DisableDefaults = true });
        builder.Configuration.AddInMemoryCollection([new("OTEL_TRACES_SAMPLER", sampler), new("OTEL_TRACES_SAMPLER_ARG", argument)]);
        builder.AddServiceDefaults();
        using var host = builder.Build();
        using var provider = host.Services.GetRequiredService<TracerProvider>();
        using var source = new ActivitySource(name);

        Assert.Equal((root, belowRecorded, belowNotRecorded), (IsRecorded(default), IsRecorded(Recorded), IsRecorded(NotRecorded)));
        Assert.Equal((false, belowRecorded, false), (IsRecorded(default, Old), IsRecorded(Recorded, Old), IsRecorded(NotRecorded, Old)));

        bool IsRecorded(ActivityContext parent, IEnumerable<KeyValuePair<string, object?>>? tags = null)
        {
            using var span = source.StartActivity("span", ActivityKind.Client, parent, tags);
            return span is { Recorded: true };
        }
    }

    [Theory]
    [MemberData(nameof(RedisTags), DisableDiscoveryEnumeration = true)]
    public void Command_WithoutParent_IsDropped(IEnumerable<KeyValuePair<string, object?>> tags) =>
        Assert.Equal(SamplingDecision.Drop, Decide(default, ActivityKind.Client, tags));

    [Fact]
    public void OtherSpans_WithoutParent_AreKept()
    {
        Assert.Equal(SamplingDecision.RecordAndSample, Decide(default, ActivityKind.Client, OtherSystem));
        Assert.Equal(SamplingDecision.RecordAndSample, Decide(default, ActivityKind.Client, null));
        Assert.Equal(SamplingDecision.RecordAndSample, Decide(default, ActivityKind.Server, Old));
    }

    [Fact]
    public void Decision_AnySpan_AllocatesNothing()
    {
        var sampler = new RedisCommandSampler(new ParentBasedSampler(new AlwaysOnSampler()));
        SamplingParameters[] spans =
        [
            Parameters(default, ActivityKind.Client, Old), Parameters(default, ActivityKind.Client, New), Parameters(default, ActivityKind.Client, OtherSystem),
            Parameters(default, ActivityKind.Client, null), Parameters(Recorded, ActivityKind.Client, Old), Parameters(default, ActivityKind.Server, null),
        ];
        Decide();
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < Spans; i++)
        {
            Decide();
        }

        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);

        void Decide()
        {
            foreach (ref readonly var span in spans.AsSpan())
            {
                sampler.ShouldSample(span);
            }
        }
    }

    private static SamplingDecision Decide(ActivityContext parent, ActivityKind kind, IEnumerable<KeyValuePair<string, object?>>? tags) =>
        new RedisCommandSampler(new AlwaysOnSampler()).ShouldSample(Parameters(parent, kind, tags)).Decision;

    private static SamplingParameters Parameters(ActivityContext parent, ActivityKind kind, IEnumerable<KeyValuePair<string, object?>>? tags) =>
        new(parent, ActivityTraceId.CreateRandom(), "EVAL", kind, tags);

    private static ActivityContext Remote(ActivityTraceFlags flags) =>
        new(ActivityTraceId.CreateRandom(), ActivitySpanId.CreateRandom(), flags, isRemote: true);
}
