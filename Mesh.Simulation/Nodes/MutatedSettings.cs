using Mesh.Server.Core;
using Mesh.Simulation.Checks;

namespace Mesh.Simulation.Nodes;

/// <summary>Makes the mutations that only need other settings of a server.</summary>
internal static class MutatedSettings
{
    private static readonly TimeSpan Never = TimeSpan.FromDays(1);

    public static ServerSettings Of(ServerSettings settings, Mutation mutation) => mutation switch
    {
        Mutation.LeaseNeverEnds => settings with { Tasks = settings.Tasks with { LeaseTime = Never } },
        Mutation.GoneWorkerKept => settings with { Tasks = settings.Tasks with { WorkerGrace = Never, LineWorkerTimeout = Never, LeaseTime = Never } },
        Mutation.GoneWorkerRemembered => settings with { Tasks = settings.Tasks with { WorkerGrace = Never, LineWorkerTimeout = Never } },
        Mutation.NeverSetAside => settings with { Tasks = settings.Tasks with { SetAsideAfter = 0 } },
        Mutation.MinimumIgnored => settings with { Balancing = settings.Balancing with { MinWorkersBeforeSharing = 0 } },
        Mutation.ReleaseNotRepeated => settings with { Loans = settings.Loans with { ReleaseRetryDelay = Never, ReleaseRetryMaxDelay = Never } },
        Mutation.PollNotHeld => settings with { Tasks = settings.Tasks with { HoldTime = TimeSpan.FromMilliseconds(1) } },
        Mutation.PrioritiesDoNotAge => settings with { Tasks = settings.Tasks with { PriorityAge = Never } },
        Mutation.HysteresisIgnored => settings with { Balancing = settings.Balancing with { ReleaseAfter = TimeSpan.Zero } },
        _ => settings,
    };
}
