using System.Data.Common;
using System.Globalization;
using Microsoft.Extensions.Configuration;

namespace MeshAspire.Client;

/// <summary>
/// Reads the settings of a client from configuration, each value over the one before: Mesh:Token, Mesh:Client, Mesh:Client:{connectionName}, ConnectionStrings:{connectionName}.
/// Values are read one by one without the binder, which stops at the first value that it cannot convert and needs reflection.
/// </summary>
internal static class MeshClientConfiguration
{
    public const string Section = "Mesh:Client";

    private const string Endpoint = "Endpoint";
    private const string TokenKey = "Token";

    /// <param name="faults">Receives a message for each value that cannot be read. It names the key as an environment variable, and never contains a token.</param>
    public static void Read(IConfiguration configuration, string connectionName, MeshClientSettings settings, List<string> faults)
    {
        settings.Token = configuration["Mesh:Token"] is { Length: > 0 } token ? token : null;
        var section = configuration.GetSection(Section);
        ReadSection(section, settings, faults, connectionName);
        ReadSection(section.GetSection(connectionName), settings, faults, null);
        if (configuration.GetConnectionString(connectionName) is { Length: > 0 } connection)
        {
            ReadConnectionString(connection, $"ConnectionStrings__{connectionName}", settings, faults);
        }
    }

    /// <summary>Returns the environment variable of a key.</summary>
    public static string VariableOf(string path) => path.Replace(ConfigurationPath.KeyDelimiter, "__", StringComparison.Ordinal);

    private static void ReadSection(IConfigurationSection section, MeshClientSettings settings, List<string> faults, string? connectionName)
    {
        foreach (var child in section.GetChildren())
        {
            switch (child.Key.ToUpperInvariant())
            {
                case "ENDPOINTS":
                    Replace(settings, child.Value is { } list ? Split(list) : [.. child.GetChildren().Select(item => item.Value ?? "")]);
                    break;
                case "TOKEN":
                    settings.Token = child.Value;
                    break;
                case "CONNECTTIMEOUT":
                    settings.ConnectTimeout = Time(child, settings.ConnectTimeout, faults);
                    break;
                case "REQUESTTIMEOUT":
                    settings.RequestTimeout = Time(child, settings.RequestTimeout, faults);
                    break;
                case "OPERATIONTIMEOUT":
                    settings.OperationTimeout = Time(child, settings.OperationTimeout, faults);
                    break;
                case "RETRYLIMIT":
                    settings.RetryLimit = Whole(child, settings.RetryLimit ?? 0, faults);
                    break;
                case "RETRYDELAY":
                    settings.RetryDelay = Time(child, settings.RetryDelay, faults);
                    break;
                case "MAXRETRYDELAY":
                    settings.MaxRetryDelay = Time(child, settings.MaxRetryDelay, faults);
                    break;
                case "LONGPOLLTIME":
                    settings.LongPollTime = Time(child, settings.LongPollTime, faults);
                    break;
                case "UNREACHABLETIME":
                    settings.UnreachableTime = Time(child, settings.UnreachableTime, faults);
                    break;
                case "MAXTASKSPERREQUEST":
                    settings.MaxTasksPerRequest = Whole(child, settings.MaxTasksPerRequest, faults);
                    break;
                case "MAXREMEMBEREDTASKS":
                    settings.MaxRememberedTasks = Whole(child, settings.MaxRememberedTasks, faults);
                    break;
                case "DISABLEHEALTHCHECKS":
                    settings.DisableHealthChecks = Flag(child, settings.DisableHealthChecks, faults);
                    break;
                case "DISABLETRACING":
                    settings.DisableTracing = Flag(child, settings.DisableTracing, faults);
                    break;
                default:
                    // A section without a value belongs to another client.
                    if (child.Value is not null || connectionName is null)
                    {
                        faults.Add($"{VariableOf(child.Path)} is unknown");
                    }

                    break;
            }
        }
    }

    /// <summary>Reads addresses that are separated by commas, or "Endpoint=…;Token=…" with such addresses.</summary>
    private static void ReadConnectionString(string text, string variable, MeshClientSettings settings, List<string> faults)
    {
        if (!text.StartsWith(Endpoint, StringComparison.OrdinalIgnoreCase) && !text.StartsWith(TokenKey, StringComparison.OrdinalIgnoreCase))
        {
            Replace(settings, Split(text));
            return;
        }

        var parts = new DbConnectionStringBuilder();
        try
        {
            parts.ConnectionString = text;
        }
        catch (ArgumentException)
        {
            faults.Add($"{variable} must be addresses separated by commas, or Endpoint=…;Token=…");
            return;
        }

        foreach (var key in parts.Keys.Cast<string>())
        {
            var value = (string)parts[key];
            if (key.Equals(Endpoint, StringComparison.OrdinalIgnoreCase))
            {
                Replace(settings, Split(value));
            }
            else if (key.Equals(TokenKey, StringComparison.OrdinalIgnoreCase))
            {
                settings.Token = value;
            }
            else
            {
                faults.Add($"{variable} has the unknown part {key}; it may have {Endpoint} and {TokenKey}");
            }
        }
    }

    private static void Replace(MeshClientSettings settings, string[] endpoints)
    {
        settings.Endpoints.Clear();
        foreach (var endpoint in endpoints)
        {
            settings.Endpoints.Add(endpoint);
        }
    }

    private static string[] Split(string addresses) => addresses.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);

    private static TimeSpan Time(IConfigurationSection child, TimeSpan current, List<string> faults) =>
        TimeSpan.TryParse(child.Value, CultureInfo.InvariantCulture, out var time) ? time : Fault(child, "a time such as 00:00:10", current, faults);

    private static int Whole(IConfigurationSection child, int current, List<string> faults) =>
        int.TryParse(child.Value, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number) ? number : Fault(child, "a whole number", current, faults);

    private static bool Flag(IConfigurationSection child, bool current, List<string> faults) =>
        bool.TryParse(child.Value, out var flag) ? flag : Fault(child, "true or false", current, faults);

    private static T Fault<T>(IConfigurationSection child, string expected, T current, List<string> faults)
    {
        faults.Add($"{VariableOf(child.Path)} must be {expected}");
        return current;
    }
}
