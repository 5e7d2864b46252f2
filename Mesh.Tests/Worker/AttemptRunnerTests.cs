using System.Text;
using Mesh.Protocol;
using Mesh.Worker;
using Mesh.Worker.Core;
using Mesh.Worker.Handlers;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using TaskStatus = Mesh.Protocol.TaskStatus;

namespace Mesh.Tests.Worker;

public sealed class AttemptRunnerTests
{
    private static readonly TaskType Resize = TaskType.Parse("RESIZE")!.Value;

    [Fact]
    public async Task Result_ThatFitsIntoAMessage_IsReported()
    {
        var then = Json("[{\"type\":\"NOTIFY\"}]");
        var text = Text(ProtocolLimits.MaxValueBytes - then.Length);

        var result = await RunAsync(HandlerResult.Done(text) with { Then = then });

        Assert.Equal((TaskOutcome.Ok, text, then), (result.Outcome, result.Result!.Value, result.Then!.Value));
        Assert.True(MessageWriter.Measure(new TaskStatus(result.Outcome, Resize, new WorkerId("w1")) { Result = result.Result, Then = result.Then }) <= ProtocolLimits.MaxMessageBytes);
    }

    [Theory]
    [InlineData(ProtocolLimits.MaxMessageBytes, "[]", "RESULT and THEN are larger than 63488 bytes")]
    [InlineData(40_000, null, "RESULT and THEN are larger than 63488 bytes")]
    [InlineData(10, "{\"type\":\"NOTIFY\"}", "THEN is not an array of JSON objects, or is nested deeper than 64 levels")]
    public async Task Result_ThatCannotBeSent_IsAFailureWithoutARetry(int resultBytes, string? then, string error)
    {
        var result = await RunAsync(HandlerResult.Done(Text(resultBytes)) with { Then = Json(then ?? $"[{{\"type\":\"NOTIFY\",\"payload\":{Text(30_000)}}}]") });

        Assert.Equal((TaskOutcome.Nok, error, false), (result.Outcome, result.Error, result.MayRetry));
        Assert.Null(result.Result);
        Assert.Null(result.Then);
    }

    [Theory]
    [InlineData(64)]
    [InlineData(65)]
    public void Handlers_OfMoreTypesThanAWorkerCanRequest_AreRefused(int types)
    {
        var handlers = Enumerable.Range(0, types).Select(i => new FixedHandler(TaskType.Parse($"T{i}")!.Value, HandlerResult.Done())).ToArray();

        var fault = Record.Exception(() => Runner(handlers));

        Assert.Equal(types > 64 ? "65 task types have a handler; a worker can handle at most 64 types" : null, (fault as OptionsValidationException)?.Failures.Single());
        Assert.Equal(types > 64, fault is not null);
    }

    private static RawJson Json(string text) => RawJson.Copy(Encoding.UTF8.GetBytes(text));

    /// <summary>A JSON string of that many bytes.</summary>
    private static RawJson Text(int bytes) => Json($"\"{new string('x', bytes - 2)}\"");

    private static Task<AttemptResult> RunAsync(HandlerResult result)
    {
        var task = new NewTask(Resize) { Id = new TaskId("t1") };
        return Runner(new FixedHandler(Resize, result)).RunAsync(task, new TaskAttempt(task), TestContext.Current.CancellationToken);
    }

    private static AttemptRunner Runner(params ITaskHandler[] handlers) =>
        new(handlers, Options.Create(new WorkerOptions { WorkerId = "w1" }), TimeProvider.System, NullLogger<AttemptRunner>.Instance);

    private sealed class FixedHandler(TaskType type, HandlerResult result) : ITaskHandler
    {
        public TaskType Type => type;

        public ValueTask<HandlerResult> HandleAsync(TaskAttempt task, CancellationToken cancellation) => new(result);
    }
}
