using Mesh.Protocol;
using Mesh.Server.Core;
using Mesh.Server.Core.Loans;
using Mesh.Tests.Fixtures;

namespace Mesh.Tests.Core.Loans;

/// <summary>The high mark is 15. The minimum is 1 unless a test sets another one.</summary>
public sealed class LendingSelectorTests
{
    private static readonly TaskType Resize = new("RESIZE");
    private static readonly TaskTypeSet Resizes = TaskTypeSet.Of(Resize);

    private static readonly DateTimeOffset Start = DateTimeOffset.UnixEpoch;

    private readonly List<HomeCount> _atHome = [];
    private readonly List<HomeWorker> _lendable = [];
    private readonly Dictionary<TaskType, int> _backlog = [];

    [Theory]
    [InlineData(0, 4, 4, 2, 2)]
    [InlineData(0, 4, 4, 9, 3)]
    [InlineData(0, 4, 1, 9, 1)]
    [InlineData(0, 4, 0, 9, 0)]
    [InlineData(0, 1, 1, 1, 0)]
    [InlineData(0, 0, 0, 1, 0)]
    [InlineData(0, 4, 4, null, 1)]
    [InlineData(15, 4, 4, 2, 2)]
    [InlineData(16, 4, 4, 2, 0)]
    public void Select_ByLoadAndMinimum_NeverGoesBelowIt(int queue, int atHome, int idle, int? needed, int expected)
    {
        for (var i = 0; i < atHome; i++)
        {
            Add($"w{i}", AccountTypes.All, isLendable: i < idle);
        }

        Assert.Equal(expected, Select(needed, types: null, queue: queue).Count);
    }

    [Fact]
    public void Select_RequestWithTypes_LendsOnlyWorkersThatHandleOne()
    {
        Add("w1", AccountTypes.All);
        Add("w2", Resizes);
        Add("w3", AccountTypes.Update);
        Add("w4", TaskTypeSet.Of(Resize, TaskType.Query));
        Add("w5", Resizes);
        Assert.Equal(["w2", "w5"], Select(9, Resizes));
        Assert.Empty(Select(9, TaskTypeSet.Of(new TaskType("OTHER"))));
        Assert.Empty(Select(9, TaskTypeSet.Empty));
    }

    [Theory]
    [InlineData(0, 3)]
    [InlineData(1, 2)]
    [InlineData(2, 1)]
    public void Select_LastWorkersOfAType_Stay(int minimum, int expected)
    {
        for (var i = 0; i < 3; i++)
        {
            Add($"r{i}", Resizes);
            Add($"q{i}", AccountTypes.Query);
        }

        Assert.Equal(expected, Select(9, Resizes, minimum).Count);
    }

    [Fact]
    public void Select_BusyWorkerOfTheType_CountsAsStaying()
    {
        Add("busy", Resizes, isLendable: false);
        Add("w1", Resizes);
        Assert.Equal(["w1"], Select(9, Resizes));
    }

    [Fact]
    public void Select_WorkersWithFewTypesFirst_LendsMore()
    {
        Add("both", AccountTypes.All);
        Add("q1", AccountTypes.Query);
        Add("u1", AccountTypes.Update);
        Assert.Equal(["q1", "u1"], Select(9, AccountTypes.All));
    }

    [Fact]
    public void Select_WaitingWorkers_ComeFirst()
    {
        Add("w1", AccountTypes.Query, isWaiting: false);
        Add("w2", AccountTypes.All);
        Add("w3", AccountTypes.All);
        Assert.Equal(["w2"], Select(1, AccountTypes.Query));
    }

    [Theory]
    [InlineData(1, 2)]
    [InlineData(2, 1)]
    [InlineData(3, 0)]
    public void Select_OwnBacklogOfTheType_KeepsAWorkerForEachTask(int waiting, int expected)
    {
        for (var i = 0; i < 3; i++)
        {
            Add($"r{i}", Resizes);
        }

        _backlog[Resize] = waiting;
        Assert.Equal(expected, Select(9, Resizes, minimum: 0).Count);
    }

    [Fact]
    public void Select_AboveTheHighMark_LendsOnlyWorkersOfNoUseAndOnlyForTypes()
    {
        Add("r1", Resizes);
        Add("r2", Resizes);
        Add("ru", TaskTypeSet.Of(Resize, TaskType.Update));
        _backlog[TaskType.Update] = 16;
        Assert.Equal(["r1", "r2"], Select(9, Resizes));
        Assert.Empty(Select(9, types: null));
    }

    [Fact]
    public void Select_AfterShortLoans_LetsTheWorkersTakeTurns()
    {
        Add("second", Resizes, lastShortLoan: Start.AddSeconds(1));
        Add("first", Resizes, lastShortLoan: Start);
        Add("stays", Resizes, lastShortLoan: Start.AddSeconds(2));
        Add("never", TaskTypeSet.Of(Resize, TaskType.Update));
        Add("stays too", TaskTypeSet.Of(TaskType.Update), lastShortLoan: Start.AddSeconds(3));
        Assert.Equal(["never", "first", "second"], Select(9, Resizes));
    }

    private void Add(string id, TaskTypeSet handles, bool isLendable = true, bool isWaiting = true, DateTimeOffset lastShortLoan = default)
    {
        _atHome.Add(new HomeCount(handles, 1));
        if (isLendable)
        {
            _lendable.Add(new HomeWorker(new WorkerId(id), handles, isWaiting, lastShortLoan));
        }
    }

    private List<string> Select(int? needed, TaskTypeSet? types, int minimum = 1, int? queue = null)
    {
        var request = new LendingRequest(needed, types);
        return LendingSelector.Select(
            _atHome, [.. _lendable.Where(worker => request.Accepts(worker.Handles))], _backlog, queue ?? _backlog.Values.Sum(), request, new BalancingOptions { MinWorkersBeforeSharing = minimum })
            .ConvertAll(worker => worker.Value);
    }
}
