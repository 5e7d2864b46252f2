using System.Text;
using Mesh.Protocol;
using Mesh.Transport;
using Microsoft.Extensions.Options;

namespace MeshAspire.Worker;

/// <summary>Finds all faults of a configuration. Each message names the environment variable.</summary>
internal sealed class MeshWorkerSettingsValidator : IValidateOptions<MeshWorkerSettings>
{
    private static readonly TimeSpan MaxTime = TimeSpan.FromHours(1);
    private static readonly TimeSpan MinRunningInterval = TimeSpan.FromMilliseconds(100);

    /// <summary>Returns whether a text can be sent as a token in a header.</summary>
    public static bool IsToken(string text) => text.Length > 0 && !text.AsSpan().ContainsAnyExceptInRange('!', '~');

    public ValidateOptionsResult Validate(string? name, MeshWorkerSettings options)
    {
        var faults = new List<string>(options.Unreadable);
        CheckId("Mesh__WorkerId", options.WorkerId);
        CheckId("Mesh__HomeServer__Id", options.HomeServer.Id);
        if (string.IsNullOrWhiteSpace(options.HomeServer.Endpoint))
        {
            faults.Add("Mesh__HomeServer__Endpoint is missing: host:port of the home server, or its name in service discovery");
        }
        else if (ServiceAddress.Parse(options.HomeServer.Endpoint) is null)
        {
            faults.Add($"Mesh__HomeServer__Endpoint must be {ServiceAddress.ExpectedFormat}");
        }

        if (!Enum.IsDefined(options.Transport))
        {
            faults.Add($"Mesh__Transport is '{options.Transport}'; it must be WebSocket or Tcp");
        }

        if (options.Concurrency is < 1 or > ProtocolLimits.MaxPollsPerWorker)
        {
            faults.Add($"Mesh__Concurrency is {options.Concurrency}; it must lie between 1 and {ProtocolLimits.MaxPollsPerWorker}, the get_tasks that a server holds of one worker");
        }

        CheckTime("Mesh__WorkTime", options.WorkTime);
        CheckTime("Mesh__StopTimeout", options.StopTimeout);
        if (options.RunningInterval < MinRunningInterval || options.RunningInterval > MaxTime)
        {
            faults.Add($"Mesh__RunningInterval is {options.RunningInterval}; it must lie between {MinRunningInterval} and {MaxTime}");
        }

        for (var i = 0; i < options.Redirect.Allowed.Count; i++)
        {
            if (!EndpointPattern.TryParse(options.Redirect.Allowed[i], out _))
            {
                faults.Add($"Mesh__Redirect__Allowed__{i} must be {EndpointPattern.ExpectedFormat}");
            }
        }

        if (options.Token is { } token && !IsToken(token))
        {
            faults.Add("Mesh__Token must be of visible ASCII characters, without spaces; leave it unset to present none");
        }

        if (options.Tls.CaFile is { } file && TrustedAuthorities.Check(file) is { } fault)
        {
            faults.Add($"Mesh__Tls__CaFile {fault}");
        }

        return faults.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(faults);

        void CheckId(string key, string id)
        {
            if (string.IsNullOrEmpty(id))
            {
                faults.Add($"{key} is missing");
            }
            else if (Encoding.UTF8.GetByteCount(id) > ProtocolLimits.MaxIdBytes)
            {
                faults.Add($"{key} is longer than {ProtocolLimits.MaxIdBytes} bytes");
            }
        }

        void CheckTime(string key, TimeSpan time)
        {
            if (time < TimeSpan.Zero || time > MaxTime)
            {
                faults.Add($"{key} is {time}; it must lie between 00:00:00 and {MaxTime}");
            }
        }
    }
}
