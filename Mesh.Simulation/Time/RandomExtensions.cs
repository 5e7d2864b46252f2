namespace Mesh.Simulation.Time;

internal static class RandomExtensions
{
    public static bool Chance(this Random random, double probability) => random.NextDouble() < probability;

    /// <summary>A random integer between two numbers, both included.</summary>
    public static int From(this Random random, int low, int high) => random.Next(low, high + 1);

    public static double From(this Random random, double low, double high) => low + ((high - low) * random.NextDouble());

    public static TimeSpan Seconds(this Random random, double low, double high) => TimeSpan.FromSeconds(random.From(low, high));

    public static T Pick<T>(this Random random, IReadOnlyList<T> items) => items[random.Next(items.Count)];
}
