using Mesh.Protocol;
using Mesh.Server.Core;
using Mesh.Server.Core.Loans;

namespace Mesh.Tests.Core.Loans;

/// <summary>Limits of the owner's side of a loan: its age, and how many workers one message names.</summary>
public sealed class LoanLimitTests
{
    private readonly CoreHarness _mesh = new();

    [Fact]
    public void Loan_OlderThanMaxAge_EndsAlthoughTheBorrowerIsAlive()
    {
        var session = _mesh.Ask("w1");
        _mesh.Ask("w2");
        Request(1);
        _mesh.Close(session);
        Assert.Equal(LoanState.Lent, _mesh.LoanOf("w1"));

        LiveFor(TimeSpan.FromMinutes(59));
        Assert.Equal(LoanState.Lent, _mesh.LoanOf("w1"));

        LiveFor(TimeSpan.FromMinutes(2));
        Assert.Null(_mesh.LoanOf("w1"));
        Assert.Contains(_mesh.Events, happened => happened is LoanEnded { Reason: "the loan is too old" });
        Assert.DoesNotContain(_mesh.Events, happened => happened is PeerAvailabilityChanged { IsAlive: false });
        Assert.NotEqual(WorkerState.Idle, _mesh.WorkerOf("w1"));

        // The owner takes the worker for lost until it comes back.
        _mesh.Ask("w1");
        Assert.Equal(WorkerState.Idle, _mesh.WorkerOf("w1"));
    }

    [Fact]
    public void Lists_MoreWorkersThanOneMessageHolds_AreSplit()
    {
        var ids = Enumerable.Range(0, 600).Select(i => $"{i:d3}{new string('"', 125)}").ToArray();
        foreach (var id in ids)
        {
            _mesh.Ask(id);
        }

        // One AVAILABLE names as many as it holds; the borrower asks again for the rest.
        var borrower = Request(600);
        var lent = _mesh.Last<Available>(borrower).Workers;
        Assert.InRange(lent.Count, 1, 599);
        AssertShort(_mesh.Last<Available>(borrower));

        _mesh.Say(new CommandRelease(CoreHarness.Peer, lent));
        foreach (var worker in lent)
        {
            _mesh.Ask(worker.Value);
        }

        var more = Request(600);
        AssertShort(_mesh.Last<Available>(more));
        var completed = _mesh.ToPeer<ReleaseCompleted>(CoreHarness.Peer).ToArray();
        Assert.Equal(lent, completed.SelectMany(message => message.Workers));
        Assert.All(completed, AssertShort);
    }

    private static void AssertShort(MeshMessage message)
    {
        var written = new System.Buffers.ArrayBufferWriter<byte>();
        MessageWriter.Write(written, message);
        Assert.InRange(written.WrittenCount, 1, 16 * 1024);
    }

    private SessionId Request(int needed) =>
        _mesh.Say(new WorkerRequest(CoreHarness.PeerEndpoint) { WorkersNeeded = needed, Server = CoreHarness.Peer });

    private void LiveFor(TimeSpan time)
    {
        for (var end = _mesh.Now + time; _mesh.Now < end; _mesh.Pass(TimeSpan.FromSeconds(15)))
        {
            _mesh.Alive();
        }
    }
}
