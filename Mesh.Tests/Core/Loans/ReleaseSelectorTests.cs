using Mesh.Protocol;
using Mesh.Server.Core;
using Mesh.Server.Core.Loans;
using Mesh.Tests.Fixtures;

namespace Mesh.Tests.Core.Loans;

/// <summary>ReleaseAfter is 2 s, the marks are 5 and 15.</summary>
public sealed class ReleaseSelectorTests
{
    private static readonly BalancingOptions Settings = new();
    private static readonly TaskType Resize = new("RESIZE");
    private static readonly ServerId B = new("b");
    private static readonly ServerId C = new("c");

    private readonly List<BorrowedWorker> _borrowed = [];
    private readonly List<BacklogType> _backlog = [];
    private TimeSpan? _lowFor;
    private TimeSpan? _surplusFor;
    private ServerId? _priority;

    [Theory]
    [InlineData(1.9, "")]
    [InlineData(2, "g1 g2")]
    public void Select_QueueAtLowMark_ReleasesAllAfterTheTime(double seconds, string expected)
    {
        Add("g1");
        Add("g2", handles: null);
        _lowFor = TimeSpan.FromSeconds(seconds);
        AssertReleases(expected);
    }

    [Fact]
    public void Select_YoungLoan_IsKept()
    {
        Add("g1", age: 1.9);
        Add("g2", C, age: 1.9);
        (_lowFor, _priority) = (TimeSpan.FromMinutes(1), C);
        AssertReleases("");
    }

    [Theory]
    [InlineData(1.9, "")]
    [InlineData(2, "g2")]
    [InlineData(60, "g2")]
    public void Select_Surplus_ReleasesOneAfterTheTime(double seconds, string expected)
    {
        Add("g1", age: 10, isBusy: true);
        Add("g2", age: 10);
        Add("g3", age: 5);
        Wait(TaskType.Query, 10, own: 1);
        _surplusFor = TimeSpan.FromSeconds(seconds);
        AssertReleases(expected);
    }

    [Fact]
    public void Select_Surplus_ReleasesWorkersWithoutTypesOfTheBacklogFirst()
    {
        Add("g1", age: 100);
        Add("g2", handles: AccountTypes.Update, age: 10, isBusy: true);
        Wait(TaskType.Query, 10, own: 1);
        _surplusFor = TimeSpan.FromMinutes(1);
        AssertReleases("g2");
    }

    [Fact]
    public void Select_UnusedWorkers_AreAllReleasedWhateverTheQueue()
    {
        Add("g1", handles: AccountTypes.Update, unused: 2);
        Add("g2", handles: AccountTypes.Update, unused: 1.9);
        Add("g3", handles: AccountTypes.Update, unused: 60);
        Add("g4");
        Wait(TaskType.Query, 100, own: 1);
        AssertReleases("g1 g3");
    }

    [Fact]
    public void Select_OwnerWithPriority_GetsAllItsWorkersBack()
    {
        Add("g1", B);
        Add("g2", C, isBusy: true);
        Add("g3", C, handles: null);
        Wait(TaskType.Query, 10, own: 1);
        _priority = C;
        AssertReleases("g3 g2");
    }

    [Fact]
    public void Select_UnusedWorkerReleased_ReducesTheSurplus()
    {
        Add("g1", handles: AccountTypes.Update, unused: 2);
        Add("g2");
        Wait(TaskType.Query, 10, own: 1);
        _surplusFor = TimeSpan.FromMinutes(1);
        AssertReleases("g1");
    }

    [Fact]
    public void Select_OnlyHandlerOfAWaitingTask_Stays()
    {
        Add("g1", handles: TaskTypeSet.Of(Resize), age: 9);
        Add("g2", handles: TaskTypeSet.Of(Resize, TaskType.Query), age: 8);
        Add("g3", handles: null, age: 100);
        Wait(Resize, 3, own: 0);
        Wait(TaskType.Query, 1, own: 1);
        (_lowFor, _priority) = (TimeSpan.FromMinutes(1), B);
        AssertReleases("g3 g1");
    }

    [Fact]
    public void Select_TypeOfNoArrivedWorker_KeepsTheExpectedWorkers()
    {
        Add("g1", handles: null);
        Wait(Resize, 3, own: 0);
        _lowFor = TimeSpan.FromMinutes(1);
        AssertReleases("");
    }

    [Fact]
    public void Select_NoReason_ReleasesNone()
    {
        Add("g1");
        Wait(TaskType.Query, 10, own: 1);
        AssertReleases("");
    }

    private void Add(string id, ServerId? owner = null, double age = 60, bool isBusy = false, double unused = 0) =>
        Add(id, owner ?? B, AccountTypes.Query, age, isBusy, unused);

    private void Add(string id, TaskTypeSet? handles, double age = 60, bool isBusy = false, double unused = 0) => Add(id, B, handles, age, isBusy, unused);

    private void Add(string id, ServerId owner, TaskTypeSet? handles, double age = 60, bool isBusy = false, double unused = 0) =>
        _borrowed.Add(new BorrowedWorker(new WorkerId(id), owner, handles, isBusy, TimeSpan.FromSeconds(age), TimeSpan.FromSeconds(unused)));

    private void Wait(TaskType type, int count, int own) => _backlog.Add(new BacklogType(type, count, own, IsUnserved: false));

    private void AssertReleases(string expected)
    {
        PeerSnapshot[] peers = [new(B, true, _priority == B, new ServerLoad(0, 0)), new(C, true, _priority == C, new ServerLoad(0, 0))];
        var view = new BalanceInput(_backlog.Sum(type => type.Depth), _lowFor, _surplusFor, _backlog, _borrowed, peers);
        Assert.Equal(expected, string.Join(' ', ReleaseSelector.Select(view, Settings)));
    }
}
