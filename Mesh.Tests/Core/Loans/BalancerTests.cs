using Mesh.Protocol;
using Mesh.Server.Core;
using Mesh.Server.Core.Loans;

namespace Mesh.Tests.Core.Loans;

public sealed class BalancerTests
{
    private static readonly BalancingOptions Settings = new();
    private static readonly PeerSnapshot B = new(new ServerId("b"), true, new ServerLoad(3, 1));
    private static readonly PeerSnapshot C = new(new ServerId("c"), true, new ServerLoad(0, 2));
    private static readonly PeerSnapshot D = new(new ServerId("d"), true, new ServerLoad(0, 7));
    private static readonly PeerSnapshot Silent = new(new ServerId("silent"), true, null);
    private static readonly PeerSnapshot Dead = new(new ServerId("dead"), false, new ServerLoad(0, 9));

    /// <summary>Columns: queue, seconds at or below the low mark (-1: above it), borrowed; expected: how many to borrow, or release; waiting tasks that only borrowed workers do.</summary>
    [Theory]
    [InlineData(0, 100, 0, "stay")]
    [InlineData(0, 1.9, 3, "stay")]
    [InlineData(0, 2, 3, "release")]
    [InlineData(5, 2, 1, "release")]
    [InlineData(5, 2, 1, "stay", 1)]
    [InlineData(6, -1, 1, "stay")]
    [InlineData(10, -1, 0, "stay")]
    [InlineData(15, -1, 0, "stay")]
    [InlineData(15, -1, 4, "stay")]
    [InlineData(16, -1, 0, "borrow 2")]
    [InlineData(16, -1, 1, "borrow 1")]
    [InlineData(16, -1, 2, "stay")]
    [InlineData(30, -1, 0, "borrow 2")]
    [InlineData(31, -1, 0, "borrow 3")]
    [InlineData(150, -1, 4, "borrow 6")]
    [InlineData(100_000, -1, 0, "borrow 6667")]
    public void Decide_ByQueueAndThresholds_BorrowsKeepsOrReleases(int queue, double lowFor, int borrowed, string expected, int forGuests = 0)
    {
        var view = new BalanceInput(queue, lowFor < 0 ? null : TimeSpan.FromSeconds(lowFor), forGuests, borrowed, [B]);
        Assert.Equal(expected, Describe(Balancer.Decide(view, Settings)));
    }

    [Fact]
    public void Decide_Borrow_OrdersLivePeersByLoad()
    {
        var decision = Balancer.Decide(new BalanceInput(16, null, 0, 0, [Silent, B, Dead, C, D]), Settings);
        Assert.Equal([D.Id, C.Id, B.Id, Silent.Id], Assert.IsType<BalanceDecision.Borrow>(decision).Peers);
    }

    [Fact]
    public void Decide_NoLivePeer_DoesNothing() =>
        Assert.IsType<BalanceDecision.NoChange>(Balancer.Decide(new BalanceInput(100, null, 0, 0, [Dead]), Settings));

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
    public void Lendable_ByLoadAndMinimum_NeverGoesBelowIt(int queue, int atHome, int idle, int? needed, int expected) =>
        Assert.Equal(expected, Balancer.CountLendable(queue, atHome, idle, needed, Settings));

    private static string Describe(BalanceDecision decision) => decision switch
    {
        BalanceDecision.Borrow borrow => $"borrow {borrow.Workers}",
        BalanceDecision.Release => "release",
        BalanceDecision.NoChange => "stay",
        _ => throw new InvalidOperationException(),
    };
}
