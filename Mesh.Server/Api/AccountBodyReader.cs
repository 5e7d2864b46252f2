using System.Runtime.InteropServices;
using System.Text.Json;
using Mesh.Accounts;
using Mesh.Protocol;
using Mesh.Server.Core.Tasks;

namespace Mesh.Server.Api;

/// <summary>Reads the body of PUT /accounts/{user}.</summary>
internal static class AccountBodyReader
{
    private const string Body = "body";
    private const string Balance = "balance";

    /// <summary>Returns the balance, or the first error in the body.</summary>
    public static (decimal Balance, BodyFault? Fault) Read(ReadOnlySpan<byte> body)
    {
        try
        {
            var json = new Utf8JsonReader(body);
            using var document = JsonDocument.ParseValue(ref json);

            // Throws a JsonException when content follows the value.
            json.Read();
            return document.RootElement.ValueKind == JsonValueKind.Object ? Read(document.RootElement) : (0, new(Body, "must be an object"));
        }
        catch (JsonException)
        {
            return (0, new(Body, "is not valid JSON"));
        }
        catch (InvalidOperationException)
        {
            // The JSON reader throws this for a name that is not valid UTF-8 or contains half a surrogate pair.
            return (0, new(Body, "is not valid Unicode"));
        }
    }

    private static (decimal Balance, BodyFault? Fault) Read(JsonElement account)
    {
        JsonElement? balance = null;
        foreach (var property in account.EnumerateObject())
        {
            if (!property.NameEquals(Balance))
            {
                return (0, new(PropertyNames.Show(property.Name), PropertyNames.Unknown(property.Name, Balance)));
            }

            if (balance is not null)
            {
                return (0, new(Balance, PropertyNames.Twice));
            }

            balance = property.Value;
        }

        return balance is { } value ? ReadBalance(value) : (0, new(Balance, "is missing"));
    }

    private static (decimal Balance, BodyFault? Fault) ReadBalance(JsonElement balance) =>
        balance.ValueKind != JsonValueKind.Number ? (0, new(Balance, "must be a number"))
        : !balance.TryGetDecimal(out var value) ? (0, new(Balance, "is too large"))
        : JsonNumbers.CountDecimals(JsonMarshal.GetRawUtf8Value(balance)) > AccountRules.Decimals ? (0, new(Balance, AccountRules.TooManyDecimals))
        : AccountRules.CheckBalance(value) is { } wrong ? (0, new(Balance, wrong))

        // Converts -0 to 0.
        : (value == 0 ? 0m : value, null);
}
