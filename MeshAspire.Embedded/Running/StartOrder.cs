using Aspire.Hosting;
using Aspire.Hosting.ApplicationModel;

namespace MeshAspire.Embedded.Running;

internal static class StartOrder
{
    /// <summary>The resources in groups, each waiting only for those of earlier groups. They stop in the reverse order.</summary>
    /// <exception cref="DistributedApplicationException">Some wait for one another.</exception>
    public static IReadOnlyList<IReadOnlySet<IResource>> Levels(IReadOnlyCollection<IResource> resources)
    {
        var left = resources.ToHashSet();
        var levels = new List<IReadOnlySet<IResource>>();
        while (left.Count > 0)
        {
            var level = left.Where(resource => !Awaited(resource).Any(left.Contains)).ToHashSet();
            if (level.Count == 0)
            {
                throw new DistributedApplicationException(
                    $"{string.Join(", ", left.Select(resource => resource.Name))} can't start: they wait for one another. Take one of their WaitFor out.");
            }

            levels.Add(level);
            left.ExceptWith(level);
        }

        return levels;
    }

    public static IEnumerable<IResource> Awaited(IResource resource) =>
        resource.Annotations.OfType<WaitAnnotation>().Select(wait => wait.Resource).Distinct();
}
