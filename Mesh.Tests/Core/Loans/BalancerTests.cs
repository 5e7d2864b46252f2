using System.Globalization;
using Mesh.Protocol;
using Mesh.Server.Core;
using Mesh.Server.Core.Loans;

namespace Mesh.Tests.Core.Loans;

public sealed class BalancerTests
{
    private static readonly BalancingOptions Settings = new();
    private static readonly TaskType Resize = new("RESIZE");
    private static readonly PeerSnapshot B = new(new ServerId("b"), true, false, new ServerLoad(3, 1));
    private static readonly PeerSnapshot C = new(new ServerId("c"), true, false, new ServerLoad(0, 2));
    private static readonly PeerSnapshot D = new(new ServerId("d"), true, false, new ServerLoad(0, 7));
    private static readonly PeerSnapshot Silent = new(new ServerId("silent"), true, false, null);
    private static readonly PeerSnapshot Dead = new(new ServerId("dead"), false, false, new ServerLoad(0, 9));
    private static readonly PeerSnapshot Busy = new(new ServerId("busy"), true, true, new ServerLoad(20, 0));

    [Theory]
    [InlineData(0, 0, 0)]
    [InlineData(15, 0, 0)]
    [InlineData(16, 0, 2)]
    [InlineData(16, 1, 1)]
    [InlineData(16, 2, 0)]
    [InlineData(30, 0, 2)]
    [InlineData(31, 0, 3)]
    [InlineData(150, 4, 6)]
    [InlineData(100_000, 0, 6667)]
    public void Decide_ByQueue_BorrowsInProportion(int queue, int borrowed, int expected)
    {
        var decision = Decide(Waiting(TaskType.Query, queue), Borrowed(borrowed, TaskTypeSet.QueryOnly), [B]);
        Assert.Equal(expected, decision.Borrow?.Workers ?? 0);
        Assert.Empty(decision.Releases);
    }

    [Fact]
    public void Decide_Borrow_OrdersLivePeersByLoad()
    {
        var decision = Decide(Waiting(TaskType.Query, 16), [], [Silent, B, Dead, C, D]);
        Assert.Equal([D.Id, C.Id, B.Id, Silent.Id], decision.Borrow!.Peers);
    }

    [Fact]
    public void Decide_NoLivePeer_DoesNotBorrow() => Assert.Null(Decide(Waiting(TaskType.Query, 100), [], [Dead]).Borrow);

    [Fact]
    public void Decide_PeerHasPriority_IsNotAsked()
    {
        Assert.Equal([B.Id], Decide(Waiting(TaskType.Query, 16), [], [Busy, B]).Borrow!.Peers);
        Assert.Null(Decide(Waiting(TaskType.Query, 16), [], [Busy]).Borrow);
    }

    [Fact]
    public void Decide_Borrow_RequestsTheTypesThatWorkersAtHomeCannotDoNext()
    {
        BacklogType[] backlog = [new(Resize, 12, 0, IsUnserved: false), new(TaskType.Update, 5, 4, IsUnserved: false), new(TaskType.Query, 4, 4, IsUnserved: false)];
        Assert.Equal(TaskTypeSet.Of(Resize, TaskType.Update), Decide(backlog, [], [B]).Borrow!.Types);
    }

    [Fact]
    public void Decide_WorkersAtHomeHandleAllTypes_RequestsAllTypes()
    {
        BacklogType[] backlog = [.. Enumerable.Range(0, 20).Select(i => new BacklogType(Type(i), 1, 1, IsUnserved: false))];
        Assert.Equal(20, Decide(backlog, [], [B]).Borrow!.Types.Count);
    }

    [Fact]
    public void Decide_MoreTypesThanAMessageHolds_RequestsTheFirst()
    {
        BacklogType[] backlog = [.. Enumerable.Range(0, 100).Select(i => new BacklogType(Type(i), 100 - i, 0, IsUnserved: false))];
        var types = Decide(backlog, [], [B]).Borrow!.Types;
        Assert.Equal(TaskTypeSet.Of(Enumerable.Range(0, 64).Select(Type)), types);
    }

    [Fact]
    public void Decide_BorrowedWorkersOfOtherTypes_DoNotCount()
    {
        var decision = Decide(Waiting(Resize, 31), [.. Borrowed(3, TaskTypeSet.QueryOnly), .. Borrowed(1, handles: null)], [B]);
        Assert.Equal(2, decision.Borrow!.Workers);
    }

    [Theory]
    [InlineData(1, 1)]
    [InlineData(15, 1)]
    public void Decide_UnservedTypeBelowTheHighMark_Borrows(int waiting, int expected)
    {
        BacklogType[] backlog = [new(Resize, waiting, 0, IsUnserved: true)];
        var borrow = Decide(backlog, [], [Busy, B]).Borrow!;
        Assert.Equal(expected, borrow.Workers);
        Assert.Equal(TaskTypeSet.Of(Resize), borrow.Types);

        // A peer with priority comes last. It may have workers that handle no type of its own backlog.
        Assert.Equal([B.Id, Busy.Id], borrow.Peers);
    }

    [Fact]
    public void Decide_UnservedTypeAndEnoughWorkersForTheOthers_RequestsTheUnservedType()
    {
        BacklogType[] backlog = [new(Resize, 1, 0, IsUnserved: true), new(TaskType.Query, 16, 1, IsUnserved: false)];
        var borrow = Decide(backlog, Borrowed(2, TaskTypeSet.QueryOnly), [B]).Borrow!;
        Assert.Equal((1, TaskTypeSet.Of(Resize)), (borrow.Workers, borrow.Types));
    }

    [Theory]
    [InlineData(10, 16, false, true)]
    [InlineData(10, 15, false, false)]
    [InlineData(16, 16, false, false)]
    [InlineData(100, 16, true, true)]
    [InlineData(0, 15, true, false)]
    public void GivesWay_ByReportedLoad_BeginsAndEndsAtTheHighMark(int queue, int reported, bool before, bool expected) =>
        Assert.Equal(expected, Balancer.GivesWay(queue, new ServerLoad(reported, 0), before, Settings));

    [Fact]
    public void GivesWay_PeerWithoutLoad_IsFalse() => Assert.False(Balancer.GivesWay(0, load: null, before: true, Settings));

    private static BalanceDecision Decide(BacklogType[] backlog, IReadOnlyList<BorrowedWorker> borrowed, PeerSnapshot[] peers) =>
        Balancer.Decide(new BalanceInput(backlog.Sum(type => type.Depth), null, null, backlog, borrowed, peers), Settings);

    private static BacklogType[] Waiting(TaskType type, int count) => count == 0 ? [] : [new BacklogType(type, count, 1, IsUnserved: false)];

    private static IReadOnlyList<BorrowedWorker> Borrowed(int count, TaskTypeSet? handles) => [.. Enumerable.Range(0, count)
        .Select(i => new BorrowedWorker(new WorkerId($"g{i}"), B.Id, handles, IsBusy: true, TimeSpan.FromMinutes(1), TimeSpan.Zero))];

    private static TaskType Type(int number) => new(string.Create(CultureInfo.InvariantCulture, $"T{number}"));
}
