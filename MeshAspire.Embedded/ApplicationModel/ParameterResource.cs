using System.Security.Cryptography;

namespace Aspire.Hosting.ApplicationModel;

/// <summary>A value from outside: configuration <c>Parameters:{name}</c>, else its default.</summary>
public class ParameterResource(string name, Func<ParameterDefault?, string> callback, bool secret = false)
    : Resource(name), IExpressionValue
{
    private readonly Lock _lock = new();
    private string? _value;

    public ParameterDefault? Default { get; set; }

    public bool Secret => secret;

    /// <summary>The value if anything has asked for it yet.</summary>
    internal string? Known => Volatile.Read(ref _value);

    public string ValueExpression => $"{{{Name}.value}}";

    public ValueTask<string?> GetValueAsync(CancellationToken cancellationToken)
    {
        // Every consumer must see the same generated value.
        lock (_lock)
        {
            return ValueTask.FromResult<string?>(_value ??= callback(Default));
        }
    }
}

public abstract class ParameterDefault
{
    public abstract string GetDefaultValue();
}

/// <summary>A random value of the allowed kinds of characters.</summary>
public sealed class GenerateParameterDefault : ParameterDefault
{
    /// <summary>Default: 22.</summary>
    public int MinLength { get; set; } = 22;

    public bool Lower { get; set; } = true;

    public bool Upper { get; set; } = true;

    public bool Numeric { get; set; } = true;

    public bool Special { get; set; } = true;

    public int MinLower { get; set; }

    public int MinUpper { get; set; }

    public int MinNumeric { get; set; }

    public int MinSpecial { get; set; }

    public override string GetDefaultValue()
    {
        // As in Aspire, without characters that look alike, and without specials that a shell or a URI would change.
        (bool Allowed, int Least, string Characters)[] kinds =
        [
            (Lower, MinLower, "abcdefghjkmnpqrstuvwxyz"),
            (Upper, MinUpper, "ABCDEFGHJKMNPQRSTUVWXYZ"),
            (Numeric, MinNumeric, "0123456789"),
            (Special, MinSpecial, "-_.{}~()*+!"),
        ];
        var wrong = kinds.Any(kind => !kind.Allowed && kind.Least > 0) || !kinds.Any(kind => kind.Allowed);
        if (wrong)
        {
            throw new InvalidOperationException("A generated parameter needs a kind of characters, and can't ask for a least number of one it leaves out.");
        }

        var characters = new List<char>();
        foreach (var (_, least, set) in kinds)
        {
            characters.AddRange(RandomNumberGenerator.GetItems<char>(set, least));
        }

        var all = string.Concat(kinds.Where(kind => kind.Allowed).Select(kind => kind.Characters));
        characters.AddRange(RandomNumberGenerator.GetItems<char>(all, Math.Max(0, MinLength - characters.Count)));
        var value = characters.ToArray();
        RandomNumberGenerator.Shuffle(value.AsSpan());
        return new string(value);
    }
}
