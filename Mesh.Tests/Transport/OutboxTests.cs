using Mesh.Protocol;
using Mesh.Transport;
using Microsoft.Extensions.Time.Testing;

namespace Mesh.Tests.Transport;

/// <summary>A full outbox refuses messages.</summary>
public sealed class OutboxTests
{
    private const int Capacity = 64;
    private static readonly Heartbeat Message = new(new ServerId("server-b"));

    private static readonly Rejection Long = new(new string('x', 1000));

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Burst_AboveCapacityToReadingPeer_Arrives()
    {
        await using var pair = ConnectionPair.Create(new MeshConnectionOptions { OutboxCapacity = Capacity, TimeProvider = new FakeTimeProvider() });

        for (var i = 0; i < 3 * Capacity; i++)
        {
            Assert.True(pair.Near.TrySend(Message));
        }

        for (var i = 0; i < 3 * Capacity; i++)
        {
            Assert.Equal(Message, (await pair.Far.ReceiveAsync(Stop)).Message);
        }
    }

    [Fact]
    public async Task Burst_PeerDoesNotRead_IsBounded()
    {
        await using var pair = ConnectionPair.Create(new MeshConnectionOptions { OutboxCapacity = Capacity, TimeProvider = new FakeTimeProvider() });

        // The number includes the messages of a kilobyte in the pipe and in the current write.
        Assert.InRange(Fill(pair.Near), Capacity * MeshConnectionOptions.OutboxBurstFactor, (Capacity * MeshConnectionOptions.OutboxBurstFactor) + 64);
    }

    [Fact]
    public async Task FullOutbox_PeerDoesNotRead_RefusesMore()
    {
        var time = new FakeTimeProvider();
        await using var pair = ConnectionPair.Create(new MeshConnectionOptions { OutboxCapacity = Capacity, TimeProvider = time });
        for (var i = 0; i < 2 * Capacity; i++)
        {
            Assert.True(pair.Near.TrySend(Long));
        }

        // The first message has arrived, so a write is in progress. The rest of the write does not fit into the pipe.
        await pair.Far.ReceiveAsync(Stop);
        time.Advance(TimeSpan.FromSeconds(1));

        Assert.False(pair.Near.TrySend(Message));
    }

    private static int Fill(MeshConnection connection)
    {
        var taken = 0;
        while (connection.TrySend(Long))
        {
            Assert.True(++taken <= 10_000, "The outbox has no limit.");
        }

        return taken;
    }
}
