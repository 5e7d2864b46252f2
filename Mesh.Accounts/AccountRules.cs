using System.Globalization;

namespace Mesh.Accounts;

/// <summary>What an account's name, an amount and a balance may be. Each check answers null, or what is wrong in words for the one who sent it.</summary>
public static class AccountRules
{
    /// <summary>Longest name, in UTF-16 characters.</summary>
    public const int MaxUserLength = 128;

    /// <summary>Decimal places an amount can have.</summary>
    public const int Decimals = 4;

    /// <summary>What is wrong with an amount of more than <see cref="Decimals"/>.</summary>
    public static readonly string TooManyDecimals = $"must not have more than {Decimals} decimals";

    /// <summary>Largest amount of one task and largest balance that can be set; updates may add up to nine times as much.</summary>
    public const decimal MaxAmount = 100_000_000_000_000m;

    private const decimal UnitsPerOne = 10_000m;

    public static string? CheckUser(string? user)
    {
        if (string.IsNullOrEmpty(user))
        {
            return "must not be empty";
        }

        if (user.Length > MaxUserLength)
        {
            return $"must not be longer than {MaxUserLength} characters";
        }

        for (var i = 0; i < user.Length; i++)
        {
            if (char.IsControl(user[i]))
            {
                return "must not contain control characters";
            }

            // Half a surrogate pair has no UTF-8: all such names would become the same key.
            if (char.IsSurrogate(user[i]))
            {
                if (!char.IsSurrogatePair(user, i))
                {
                    return "must be valid Unicode";
                }

                i++;
            }
        }

        return null;
    }

    /// <summary>An amount may be negative.</summary>
    public static string? CheckAmount(decimal amount) =>
        Math.Abs(amount) > MaxAmount ? string.Create(CultureInfo.InvariantCulture, $"must lie between -{MaxAmount} and {MaxAmount}")
        : decimal.Truncate(amount * UnitsPerOne) != amount * UnitsPerOne ? TooManyDecimals
        : null;

    public static string? CheckBalance(decimal balance) =>
        balance < 0 ? "must not be negative" : CheckAmount(balance);

    /// <summary>The amount as a count of 1/10,000, the way it is stored.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The amount fails <see cref="CheckAmount"/>.</exception>
    internal static long ToUnits(decimal amount) => CheckAmount(amount) is { } fault
        ? throw new ArgumentOutOfRangeException(nameof(amount), amount, fault)
        : (long)(amount * UnitsPerOne);

    internal static decimal FromUnits(long units) => units / UnitsPerOne;
}
