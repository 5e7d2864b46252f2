namespace Mesh.Simulation.Scale;

/// <summary>Draws which servers know each other. Each server knows only a few of many, and the whole mesh is connected when each knows at least two.</summary>
internal static class PeerViews
{
    /// <summary>Returns the numbers of the peers of each server, in ascending order. Peers know each other.</summary>
    /// <param name="peers">The number of peers of a server. All servers have as many; one less when neither this number nor that of the servers is even.</param>
    public static IReadOnlyList<IReadOnlyList<int>> Draw(int servers, int peers, Random random)
    {
        if (peers >= servers - 1)
        {
            return [.. Enumerable.Range(0, servers).Select(own => Enumerable.Range(0, servers).Where(other => other != own).ToList())];
        }

        // The servers stand in a circle in random order. Each knows those at some random distances, in both directions, and its neighbours.
        var order = Enumerable.Range(0, servers).ToArray();
        random.Shuffle(order);
        var distances = Enumerable.Range(2, Math.Max(0, ((servers - 1) / 2) - 1)).ToArray();
        random.Shuffle(distances);
        IEnumerable<int> chosen = [.. peers < 2 ? [] : distances.Take((peers / 2) - 1).Prepend(1), .. peers % 2 == 1 && servers % 2 == 0 ? [servers / 2] : Array.Empty<int>()];
        var views = new IReadOnlyList<int>[servers];
        for (var place = 0; place < servers; place++)
        {
            views[order[place]] = [.. chosen.SelectMany(distance => new[] { place + distance, place - distance + servers }).Select(other => order[other % servers]).Distinct().Order()];
        }

        return views;
    }
}
