using System.Globalization;

namespace Mesh.Accounts;

/// <summary>The valid account names, amounts and balances. Each check returns null for a valid value, and otherwise the fault for its sender.</summary>
public static class AccountRules
{
    /// <summary>The maximum length of a name, in UTF-16 characters.</summary>
    public const int MaxUserLength = 128;

    /// <summary>The maximum number of decimal places of an amount.</summary>
    public const int Decimals = 4;

    /// <summary>The fault of an amount with more than <see cref="Decimals"/> decimal places.</summary>
    public static readonly string TooManyDecimals = $"must not have more than {Decimals} decimals";

    /// <summary>The largest amount of one task and the largest balance that can be set. Updates may lead to a balance up to nine times as large.</summary>
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

            // An unpaired surrogate cannot be encoded as UTF-8. All such names would become the same key.
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

    /// <summary>Checks an amount, which may be negative.</summary>
    public static string? CheckAmount(decimal amount) =>
        Math.Abs(amount) > MaxAmount ? string.Create(CultureInfo.InvariantCulture, $"must lie between -{MaxAmount} and {MaxAmount}")
        : decimal.Truncate(amount * UnitsPerOne) != amount * UnitsPerOne ? TooManyDecimals
        : null;

    public static string? CheckBalance(decimal balance) =>
        balance < 0 ? "must not be negative" : CheckAmount(balance);

    /// <summary>Returns an amount in units of 1/10,000, in which it is stored.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The amount fails <see cref="CheckAmount"/>.</exception>
    internal static long ToUnits(decimal amount) => CheckAmount(amount) is { } fault
        ? throw new ArgumentOutOfRangeException(nameof(amount), amount, fault)
        : (long)(amount * UnitsPerOne);

    internal static decimal FromUnits(long units) => units / UnitsPerOne;
}
