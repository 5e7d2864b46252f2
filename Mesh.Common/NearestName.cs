namespace Mesh.Common;

/// <summary>Finds the known name that is most similar to an unknown one.</summary>
public static class NearestName
{
    /// <summary>Longer names are not compared.</summary>
    private const int MaxLength = 64;

    /// <summary>
    /// Returns the known name with the fewest edits to <paramref name="name"/>. An edit adds, removes or replaces a character or exchanges two. Case is ignored.
    /// Returns null when the edits are more than a third of the name's characters.
    /// </summary>
    public static string? Find(string name, IEnumerable<string> known)
    {
        if (name.Length > MaxLength)
        {
            return null;
        }

        var (nearest, fewest) = ((string?)null, Math.Max(1, name.Length / 3) + 1);
        foreach (var candidate in known)
        {
            var edits = candidate.Length > MaxLength ? int.MaxValue : CountEdits(name, candidate);
            if (edits < fewest)
            {
                (nearest, fewest) = (candidate, edits);
            }
        }

        return nearest;
    }

    /// <summary>Optimal string alignment distance.</summary>
    private static int CountEdits(string from, string to)
    {
        Span<int> before = stackalloc int[to.Length + 1], above = stackalloc int[to.Length + 1], row = stackalloc int[to.Length + 1];
        for (var j = 0; j <= to.Length; j++)
        {
            above[j] = j;
        }

        for (var i = 1; i <= from.Length; i++)
        {
            row[0] = i;
            for (var j = 1; j <= to.Length; j++)
            {
                row[j] = Math.Min(Math.Min(above[j] + 1, row[j - 1] + 1), above[j - 1] + (Same(from[i - 1], to[j - 1]) ? 0 : 1));
                if (i > 1 && j > 1 && Same(from[i - 1], to[j - 2]) && Same(from[i - 2], to[j - 1]))
                {
                    row[j] = Math.Min(row[j], before[j - 2] + 1);
                }
            }

            above.CopyTo(before);
            row.CopyTo(above);
        }

        return above[to.Length];
    }

    private static bool Same(char one, char other) => char.ToUpperInvariant(one) == char.ToUpperInvariant(other);
}
