using System.Text;
using System.Text.Json;
using Mesh.Protocol;
using MeshAspire.Worker;
using MeshAspire.Worker.Core;
using MeshAspire.Worker.Handlers;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using TaskStatus = Mesh.Protocol.TaskStatus;

namespace Mesh.Tests.Worker.Handlers;

public sealed class AttemptRunnerTests
{
    private static readonly TaskType Resize = TaskType.Parse("RESIZE")!.Value;

    [Fact]
    public async Task Result_ThatFitsIntoAMessage_IsReported()
    {
        const string then = "[{\"type\":\"NOTIFY\"}]";
        var text = Text(ProtocolLimits.MaxValueBytes - then.Length);

        var result = await RunAsync<JsonElement?, string>((_, context) =>
        {
            context.AddFollowUp<object?>("NOTIFY", null);
            return Task.FromResult(text);
        });

        Assert.Equal((TaskOutcome.Ok, $"\"{text}\"", then), (result.Outcome, result.Result!.Value.ToString(), result.Then!.Value.ToString()));
        Assert.True(MessageWriter.Measure(new TaskStatus(result.Outcome, Resize, new WorkerId("w1")) { Result = result.Result, Then = result.Then }) <= ProtocolLimits.MaxMessageBytes);
    }

    [Theory]
    [InlineData(ProtocolLimits.MaxMessageBytes, 10)]
    [InlineData(40_000, 30_000)]
    public async Task Result_ThatCannotBeSent_IsAFailureWithoutARetry(int resultBytes, int followUpBytes)
    {
        var result = await RunAsync<JsonElement?, string>((_, context) =>
        {
            context.AddFollowUp("NOTIFY", Text(followUpBytes));
            return Task.FromResult(Text(resultBytes));
        });

        Assert.Equal((TaskOutcome.Nok, "RESULT and THEN are larger than 63488 bytes", false), (result.Outcome, result.Error, result.MayRetry));
        Assert.Null(result.Result);
        Assert.Null(result.Then);
    }

    [Fact]
    public async Task FollowUp_NestedTooDeep_IsAFailureWithoutARetry()
    {
        // The array of THEN and the object of the item are two of the 64 levels.
        using var deep = JsonDocument.Parse(new string('[', 63) + new string(']', 63));

        var result = await RunAsync<JsonElement?, int>((_, context) =>
        {
            context.AddFollowUp("NOTIFY", deep.RootElement);
            return Task.FromResult(1);
        });

        Assert.Equal((TaskOutcome.Nok, "THEN is nested deeper than 64 levels", false), (result.Outcome, result.Error, result.MayRetry));
    }

    [Theory]
    [InlineData(null, "PAYLOAD is missing")]
    [InlineData("{\"url\":\"a\"}", "width")]
    [InlineData("{\"url\":null,\"width\":1}", "url")]
    [InlineData("{\"url\":\"a\",\"width\":\"wide\"}", "$.width")]
    [InlineData("7", "PAYLOAD is not valid")]
    public async Task Payload_OfAnotherShape_IsAFailureWithoutARetryThatNamesTheField(string? payload, string named)
    {
        var result = await RunAsync<Picture, int>((picture, _) => Task.FromResult(picture.Width), payload);

        Assert.Equal((TaskOutcome.Nok, false), (result.Outcome, result.MayRetry));
        Assert.StartsWith("PAYLOAD is ", result.Error, StringComparison.Ordinal);
        Assert.Contains(named, result.Error, StringComparison.OrdinalIgnoreCase);
    }

    [Fact]
    public async Task Payload_WithUnknownProperties_IsRead() =>
        Assert.Equal("640", (await RunAsync<Picture, int>((picture, _) => Task.FromResult(picture.Width), "{\"url\":\"a\",\"width\":640,\"more\":[1]}")).Result.ToString());

    [Fact]
    public async Task Result_Null_IsNone() => Assert.Null((await RunAsync<object?, string?>((_, _) => Task.FromResult<string?>(null))).Result);

    [Fact]
    public async Task Handler_WithoutResult_ReportsNone() =>
        Assert.Equal((TaskOutcome.Ok, null), await RunAsync(handlers => handlers.AddHandler<object?>("RESIZE", (_, _) => Task.CompletedTask), null) is var result ? (result.Outcome, result.Result) : default);

    [Theory]
    [InlineData(true, null)]
    [InlineData(false, 90)]
    public async Task TaskFailedException_DecidesWhetherAndWhenTheTaskIsTriedAgain(bool mayRetry, int? seconds)
    {
        var delay = seconds is { } known ? TimeSpan.FromSeconds(known) : (TimeSpan?)null;

        var result = await RunAsync<object?, int>((_, _) => throw new TaskFailedException("no such picture", mayRetry, delay));

        Assert.Equal((TaskOutcome.Nok, "no such picture", mayRetry, delay), (result.Outcome, result.Error, result.MayRetry, result.RetryAfter));
    }

    [Fact]
    public async Task Context_TellsTheTask()
    {
        var result = await RunAsync<object?, string>((_, context) => Task.FromResult($"{context.TaskId} {context.Type} {context.Attempt} {context.WorkerId}"));

        Assert.Equal("\"t1 RESIZE 3 w1\"", result.Result.ToString());
    }

    [Fact]
    public async Task Handler_AsAClass_HasAScopeOfItsOwnForEachAttempt()
    {
        var runner = Runner(handlers =>
        {
            handlers.Services.AddScoped<Scoped>();
            handlers.AddHandler<ScopedHandler>("RESIZE");
        });
        var task = new NewTask(Resize);

        var first = await runner.RunAsync(task, runner.CreateContext(task, TestContext.Current.CancellationToken));
        var second = await runner.RunAsync(task, runner.CreateContext(task, TestContext.Current.CancellationToken));

        Assert.Equal(("1", "1"), (first.Result.ToString(), second.Result.ToString()));
        Assert.Equal(2, Scoped.Disposed);
    }

    [Theory]
    [InlineData(0, "The worker has no handler: call AddHandler on the result of AddMeshWorker")]
    [InlineData(64, null)]
    [InlineData(65, "65 task types have a handler; a worker can handle at most 64 types")]
    public void Handlers_OfNoOrMoreTypesThanAWorkerCanRequest_AreRefused(int types, string? fault)
    {
        var exception = Record.Exception(() => Runner(handlers =>
        {
            for (var i = 0; i < types; i++)
            {
                handlers.AddHandler<object?>($"T{i}", (_, _) => Task.CompletedTask);
            }
        }));

        Assert.Equal(fault, (exception as OptionsValidationException)?.Failures.Single());
        Assert.Equal(fault is null, exception is null);
    }

    [Theory]
    [InlineData("9")]
    [InlineData("REDIRECT")]
    [InlineData("")]
    [InlineData("RESIZE")]
    public void AddHandler_InvalidOrRepeatedType_IsRefused(string type)
    {
        var handlers = new MeshWorkerBuilder(new ServiceCollection()).AddHandler<object?>("RESIZE", (_, _) => Task.CompletedTask);

        Assert.Throws<ArgumentException>(() => handlers.AddHandler<object?>(type, (_, _) => Task.CompletedTask));
    }

    private static string Text(int bytes) => new('x', bytes - 2);

    private static Task<AttemptResult> RunAsync<TPayload, TResult>(Func<TPayload, TaskContext, Task<TResult>> handler, string? payload = null) =>
        RunAsync(handlers => handlers.AddHandler("RESIZE", handler), payload);

    private static Task<AttemptResult> RunAsync(Action<MeshWorkerBuilder> add, string? payload)
    {
        var task = new NewTask(Resize) { Id = new TaskId("t1"), Attempt = 3, Payload = payload is null ? null : RawJson.Copy(Encoding.UTF8.GetBytes(payload)) };
        var runner = Runner(add);
        return runner.RunAsync(task, runner.CreateContext(task, TestContext.Current.CancellationToken)).AsTask();
    }

    private static AttemptRunner Runner(Action<MeshWorkerBuilder> add)
    {
        var services = new ServiceCollection().AddOptions();
        add(new MeshWorkerBuilder(services));
        var provider = services.BuildServiceProvider();
        return new(
            provider.GetServices<TaskHandlerRegistration>(),
            Options.Create(new MeshWorkerSettings { WorkerId = "w1" }),
            provider.GetRequiredService<IOptions<WorkerJsonOptions>>(),
            provider.GetRequiredService<IServiceScopeFactory>(),
            TimeProvider.System,
            NullLoggerFactory.Instance);
    }

    private sealed record Picture(string Url, int Width);

    private sealed class Scoped : IDisposable
    {
        private static int _disposed;

        public static int Disposed => Volatile.Read(ref _disposed);

        public int Uses { get; private set; }

        public int Use() => ++Uses;

        public void Dispose() => Interlocked.Increment(ref _disposed);
    }

    private sealed class ScopedHandler(Scoped scoped) : ITaskHandler<object?, int>
    {
        public Task<int> HandleAsync(object? payload, TaskContext context) => Task.FromResult(scoped.Use());
    }
}
