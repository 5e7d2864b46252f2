using System.Diagnostics;
using MeshAspire.Client;
using static Mesh.Tests.Client.ScriptedServers;

namespace Mesh.Tests.Client;

/// <summary>The spans of a client.</summary>
public sealed class ClientTracingTests
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Submit_WithRetriesAndFallback_IsOneSpan()
    {
        using var servers = new ScriptedServers().On("server-a", Full("1")).On("server-b", Full("1"), Accept());
        using var trace = new RecordedSpans();

        var id = await servers.Client(settings => settings.RetryDelay = TimeSpan.FromSeconds(2)).SubmitAsync(new MeshTaskRequest("RESIZE"), Stop);

        var span = Assert.Single(trace.Spans);
        Assert.Equal(("submit RESIZE", ActivityKind.Client, ActivityStatusCode.Unset), (span.DisplayName, span.Kind, span.Status));
        Assert.Equal((id, 1, true, "server-b"), (span.GetTagItem("messaging.message.id"), span.GetTagItem("mesh.client.retries"), span.GetTagItem("mesh.client.fallback"), span.GetTagItem("server.address")));
    }

    [Fact]
    public async Task Run_Fails_IsOneSpanWithTheError()
    {
        using var servers = new ScriptedServers().On("server-a", Accept(), Body("""{"id":"t","type":"RESIZE","state":"dead","attempts":3}"""));
        using var trace = new RecordedSpans();

        await Assert.ThrowsAsync<TaskDeadException>(() => servers.Client().RunAsync<int>(new MeshTaskRequest("RESIZE"), cancellationToken: Stop));

        var span = Assert.Single(trace.Spans);
        Assert.Equal(("run RESIZE", ActivityStatusCode.Error, typeof(TaskDeadException).FullName), (span.DisplayName, span.Status, span.GetTagItem("error.type")));
    }

    /// <summary>Records the spans of the client that belong to the test's own trace.</summary>
    private sealed class RecordedSpans : IDisposable
    {
        private readonly Activity _root = new Activity("test").Start();
        private readonly ActivityListener _listener;

        public RecordedSpans()
        {
            _listener = new ActivityListener
            {
                ShouldListenTo = source => source.Name == "MeshAspire.Client",
                Sample = (ref _) => ActivitySamplingResult.AllDataAndRecorded,
                ActivityStopped = span =>
                {
                    if (span.TraceId == _root.TraceId)
                    {
                        Spans.Add(span);
                    }
                },
            };
            ActivitySource.AddActivityListener(_listener);
        }

        public List<Activity> Spans { get; } = [];

        public void Dispose()
        {
            _listener.Dispose();
            _root.Dispose();
        }
    }
}
