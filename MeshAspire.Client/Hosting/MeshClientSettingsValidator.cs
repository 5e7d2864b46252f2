using Microsoft.Extensions.Options;

namespace MeshAspire.Client;

/// <summary>Checks the settings of a client. All faults are reported at once, each with its environment variable.</summary>
internal static class MeshClientSettingsValidator
{
    private static readonly string[] Schemes = [Uri.UriSchemeHttp, Uri.UriSchemeHttps, "https+http", "http+https"];

    /// <summary>The longest time of most settings.</summary>
    private static readonly TimeSpan Hour = TimeSpan.FromHours(1);

    /// <param name="section">The path of the section that the messages name.</param>
    public static List<string> FindFaults(MeshClientSettings settings, string section)
    {
        var faults = new List<string>();
        foreach (var (index, endpoint) in settings.Endpoints.Index())
        {
            if (!IsAddress(endpoint))
            {
                faults.Add($"{Name($"Endpoints:{index}")} must be an address such as http://10.0.0.7:9001 or https+http://server-a, without user, query and fragment");
            }
        }

        if (settings.Token is { } token && (token.Length == 0 || token.Any(character => character is <= ' ' or > '~')))
        {
            faults.Add($"{Name(nameof(settings.Token))} must have visible ASCII characters only");
        }

        Range(nameof(settings.ConnectTimeout), settings.ConnectTimeout, TimeSpan.FromMilliseconds(1), Hour);
        Range(nameof(settings.RequestTimeout), settings.RequestTimeout, TimeSpan.FromMilliseconds(1), Hour);
        Range(nameof(settings.OperationTimeout), settings.OperationTimeout, TimeSpan.FromMilliseconds(1), TimeSpan.FromDays(1));
        Range(nameof(settings.RetryLimit), settings.RetryLimit ?? 0, 0, 1_000_000);
        Range(nameof(settings.RetryDelay), settings.RetryDelay, TimeSpan.FromMilliseconds(1), Hour);
        Range(nameof(settings.MaxRetryDelay), settings.MaxRetryDelay, settings.RetryDelay, Hour);
        Range(nameof(settings.LongPollTime), settings.LongPollTime, TimeSpan.FromSeconds(1), TimeSpan.FromMinutes(1));
        Range(nameof(settings.UnreachableTime), settings.UnreachableTime, TimeSpan.Zero, Hour);
        Range(nameof(settings.MaxTasksPerRequest), settings.MaxTasksPerRequest, 1, 40_000);
        Range(nameof(settings.MaxRememberedTasks), settings.MaxRememberedTasks, 1, 10_000_000);
        return faults;

        string Name(string key) => MeshClientConfiguration.VariableOf($"{section}:{key}");

        void Range<T>(string key, T value, T least, T most)
            where T : IComparable<T>
        {
            if (value.CompareTo(least) < 0 || value.CompareTo(most) > 0)
            {
                faults.Add($"{Name(key)} must lie between {least} and {most}, and is {value}");
            }
        }
    }

    private static bool IsAddress(string endpoint) =>
        Uri.TryCreate(endpoint, UriKind.Absolute, out var address) && Schemes.Contains(address.Scheme) && address.Host.Length > 0
        && address is { UserInfo: "", Query: "", Fragment: "" };
}

/// <summary>Stands for the settings of one client in the validation at start. The settings themselves are read when the client is added.</summary>
internal sealed class MeshClientStart;

/// <summary>Fails the start of the application when the settings of a client have faults.</summary>
internal sealed class MeshClientStartValidator(string name, IReadOnlyList<string> faults) : IValidateOptions<MeshClientStart>
{
    public ValidateOptionsResult Validate(string? checkedName, MeshClientStart options) =>
        checkedName != name ? ValidateOptionsResult.Skip : faults.Count > 0 ? ValidateOptionsResult.Fail(faults) : ValidateOptionsResult.Success;
}
