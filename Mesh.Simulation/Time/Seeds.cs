namespace Mesh.Simulation.Time;

/// <summary>A random number generator for each concern, so that a change in one concern does not change the numbers of the others.</summary>
internal sealed class Seeds(long seed)
{
    public Random For(string concern)
    {
        // FNV-1a, because string.GetHashCode differs between processes.
        var hash = 14695981039346656037UL ^ (ulong)seed;
        hash *= 1099511628211UL;
        foreach (var character in concern)
        {
            hash = (hash ^ character) * 1099511628211UL;
        }

        return new Random((int)(hash ^ (hash >> 32)));
    }
}
