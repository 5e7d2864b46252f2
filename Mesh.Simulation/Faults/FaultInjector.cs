using Mesh.Protocol;
using Mesh.Simulation.Nodes;
using Mesh.Simulation.Stores;

namespace Mesh.Simulation.Faults;

/// <summary>Injects the faults of a plan, and ends all faults at the end.</summary>
internal sealed class FaultInjector(SimWorld world)
{
    /// <summary>An address at which no server listens.</summary>
    private static readonly MeshEndpoint Nowhere = new("10.0.9.9", 9999);

    public void Schedule(IReadOnlyList<Fault> faults)
    {
        foreach (var fault in faults)
        {
            world.Scheduler.At(fault.At, () => Inject(fault));
        }
    }

    /// <summary>Ends all faults, and starts all nodes that are down.</summary>
    public void EndAllFaults()
    {
        world.Log.Add("life", "the faults are over");
        world.Network.ClearFaults();
        world.TriggeredFaults.Clear();
        foreach (var redis in world.Redises)
        {
            redis.Start();
            (redis.MaxExtraLatency, redis.ErrorRate) = (TimeSpan.Zero, 0);
        }

        foreach (var server in world.Servers)
        {
            server.ChangePeers(server.Settings.Peers);
        }

        foreach (var foreign in world.ForeignServers)
        {
            foreign.ClearFaults();
        }

        foreach (var worker in world.Workers)
        {
            worker.ClearFaults();
        }

        // A node that was told to stop ends before it can be started again.
        world.Scheduler.After(TimeSpan.FromSeconds(31), StartAll);
        StartAll();
    }

    private void StartAll()
    {
        foreach (var node in world.Nodes)
        {
            node.Start();
        }
    }

    private void Inject(Fault fault)
    {
        world.Coverage.Count($"fault: {fault.Kind}");
        world.Log.Add("fault", $"{fault.Kind} {fault.Target} {fault.Other} for {fault.For.TotalSeconds:0.0} s");
        switch (fault.Kind)
        {
            case FaultKind.KillServer:
                Restart(Pick(world.Servers, fault.Target), fault, node => node.Kill(fault.Silent));
                break;
            case FaultKind.StopServer:
                Restart(Pick(world.Servers, fault.Target), fault, node => node.Stop());
                break;
            case FaultKind.KillForeignServer:
                Restart(Pick(world.ForeignServers, fault.Target), fault, node => node.Kill(fault.Silent));
                break;
            case FaultKind.KillWorker:
                Restart(Pick(world.AllWorkers, fault.Target), fault, node => node.Kill(fault.Silent));
                break;
            case FaultKind.StopWorker:
                Restart(Pick(world.AllWorkers, fault.Target), fault, node => node.Stop());
                break;
            case FaultKind.CutConnection:
                Pick(world.Network.Connections, fault.Target)?.Break(clientNotices: true, serverNotices: true);
                break;
            case FaultKind.HalfOpenConnection:
                Pick(world.Network.Connections, fault.Target)?.Break(clientNotices: fault.Silent, serverNotices: !fault.Silent);
                break;
            case FaultKind.Partition:
                world.Network.StartPartition(Pick(world.Nodes, fault.Target)!.Name, Pick(world.Nodes, fault.Other)!.Name, world.Scheduler.Now + fault.For);
                break;
            case FaultKind.StoreDown:
                StopRedis(Pick(world.Redises, fault.Target)!, fault);
                break;
            case FaultKind.PowerLoss:
                LosePower(Pick(world.Redises, fault.Target)!, fault);
                break;
            case FaultKind.StoreSlow:
                Slow(Pick(world.Redises, fault.Target)!, fault);
                break;
            case FaultKind.StoreErrors:
                var troubled = Pick(world.Redises, fault.Target)!;
                troubled.ErrorRate = 0.2;
                EndAfter(fault, () => troubled.ErrorRate = 0);
                break;
            case FaultKind.LatencySpikes:
                (world.Network.SpikeDelay, world.Network.SpikeShare) = (TimeSpan.FromSeconds(fault.Silent ? 8 : 1), 0.2);
                EndAfter(fault, () => world.Network.SpikeShare = 0);
                break;
            case FaultKind.LossyLines:
                world.Network.LineLoss = 0.3;
                EndAfter(fault, () => world.Network.LineLoss = 0);
                break;
            case FaultKind.RepeatedLines:
                world.Network.LineRepeats = 0.2;
                EndAfter(fault, () => world.Network.LineRepeats = 0);
                break;
            case FaultKind.KillServerDuringWrite:
                world.TriggeredFaults.OnNextWrite(Pick(world.Servers, fault.Target)!, server => KillWithin(server, fault, 0.002));
                break;
            case FaultKind.KillServerDuringFollowUps:
                world.TriggeredFaults.OnNextFollowUps(Pick(world.Servers, fault.Target)!, server => KillWithin(server, fault, 0.002));
                break;
            case FaultKind.FaultDuringDeadLetterRequest:
                world.TriggeredFaults.OnNextDeadLetterPage(server => world.Scheduler.After(TimeSpan.FromSeconds(0.004 * fault.Other / 10_000), () => InjectDeadLetterFault(server, fault)));
                break;
            case FaultKind.FaultDuringLoan:
                world.TriggeredFaults.OnNextLoanStep((server, worker) => InjectLoanFault(server, worker, fault));
                break;
            case FaultKind.KillWorkerDuringTask:
                world.TriggeredFaults.OnNextTask(Pick(world.Workers, fault.Target)!, worker => KillWithin(worker, fault, 1));
                break;
            case FaultKind.RemoveServer:
                if (world.Servers.Count > 2 && !world.Servers.Any(server => server.IsRemoved))
                {
                    var lost = Pick(world.Servers, fault.Target)!;
                    lost.RemoveForever(fault.Silent);
                    lost.Listener.IsUnresponsive = fault.Other % 3 == 0;
                }

                break;
            case FaultKind.ServerDownForLong:
                var away = Pick(world.Servers, fault.Target)!;
                away.KeepDown(TimeSpan.FromSeconds(60 + (fault.Other / 100.0)), fault.Silent);
                away.Listener.IsUnresponsive = fault.Other % 3 == 0;
                break;
            case FaultKind.PauseServer:
                var paused = Pick(world.Servers, fault.Target)!;
                paused.Command((core, _) => core.OnPause());
                EndAfter(fault, () => paused.Command((core, _) => core.OnResume()));
                break;
            case FaultKind.ReturnLoans:
                Pick(world.Servers, fault.Target)!.ReturnLoans();
                break;
            case FaultKind.ChangePeers:
                ChangePeers(Pick(world.Servers, fault.Target)!, fault);
                break;
            case FaultKind.FreezeServer:
                Restart(Pick(world.Servers, fault.Target), fault, node => ((ServerNode)node).Freeze(fault.For * 2 * fault.Other / 10_000));
                break;
            default:
                throw new InvalidOperationException($"Fault {fault.Kind} is unknown.");
        }
    }

    private void InjectLoanFault(ServerNode server, string worker, Fault fault)
    {
        switch (fault.Target % 3)
        {
            case 0:
                KillWithin(server, fault, 0.005);
                break;
            case 1:
                KillWithin(world.AllWorkers.First(node => node.Name == worker), fault, 0.005);
                break;
            default:
                foreach (var connection in world.Network.Connections.Where(connection => connection.Client == worker).ToArray())
                {
                    connection.Break(clientNotices: fault.Other % 3 != 0, serverNotices: fault.Other % 3 != 1);
                }

                break;
        }
    }

    private void InjectDeadLetterFault(ServerNode server, Fault fault)
    {
        switch (fault.Target % 4)
        {
            case 0:
                Restart(server, fault, struck => struck.Kill(fault.Silent));
                break;
            case 1:
                Slow(server.Store.Redis, fault);
                break;
            case 2:
                StopRedis(server.Store.Redis, fault);
                break;
            default:
                // It loses nothing in a life whose Redis writes each change out before it answers.
                LosePower(server.Store.Redis, fault);
                break;
        }
    }

    private void ChangePeers(ServerNode server, Fault fault)
    {
        var peers = server.Peers.ToList();
        if (peers.Count == 0)
        {
            return;
        }

        var number = fault.Other / 10 % peers.Count;
        switch (fault.Other % 10)
        {
            case 0:
                peers.Clear();
                break;
            case < 3:
                peers[number] = peers[number] with { Endpoint = Nowhere };
                break;
            default:
                peers.RemoveAt(number);
                break;
        }

        server.ChangePeers(peers);
        EndAfter(fault, () => server.ChangePeers(server.Settings.Peers));
    }

    private void StopRedis(SimRedis redis, Fault fault)
    {
        redis.Stop();
        EndAfter(fault, redis.Start);
    }

    private void LosePower(SimRedis redis, Fault fault)
    {
        world.DataLossTracker.LosePower(redis, SimRedis.FsyncInterval * fault.Other / 10_000);
        EndAfter(fault, redis.Start);
    }

    private void Slow(SimRedis redis, Fault fault)
    {
        redis.MaxExtraLatency = TimeSpan.FromSeconds(fault.Silent ? 3 : 0.2);
        EndAfter(fault, () => redis.MaxExtraLatency = TimeSpan.Zero);
    }

    /// <summary>Kills a node within a time, with a higher probability early, and starts it again.</summary>
    private void KillWithin(SimNode node, Fault fault, double within)
    {
        var share = fault.Other / 10_000.0;
        world.Scheduler.After(TimeSpan.FromSeconds(within * share * share), () => Restart(node, fault, struck => struck.Kill(fault.Silent)));
    }

    private void Restart(SimNode? node, Fault fault, Action<SimNode> end)
    {
        if (node is not null)
        {
            end(node);
            EndAfter(fault, node.Start);
        }
    }

    private void EndAfter(Fault fault, Action mend) => world.Scheduler.After(fault.For, mend);

    private static T? Pick<T>(IReadOnlyList<T> items, int number)
        where T : class => items.Count == 0 ? null : items[number % items.Count];
}
