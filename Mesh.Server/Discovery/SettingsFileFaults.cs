using System.Collections.Concurrent;

namespace Mesh.Server.Discovery;

/// <summary>
/// The settings files that were changed and cannot be read. .NET takes such a file for an empty one, so until it can be read the configuration lacks its settings. Thread-safe.
/// </summary>
internal sealed class SettingsFileFaults
{
    private readonly ConcurrentDictionary<FileConfigurationProvider, string> _faults = [];

    /// <summary>Occurs when a changed file cannot be read.</summary>
    public event Action? Occurred;

    /// <summary>One message for each file.</summary>
    public IReadOnlyList<string> Current => [.. _faults.Values.Order(StringComparer.Ordinal)];

    /// <summary>Watches all settings files of a configuration.</summary>
    public void Watch(IConfigurationBuilder configuration)
    {
        foreach (var source in configuration.Sources.OfType<FileConfigurationSource>())
        {
            source.OnLoadException = OnLoadException;
        }
    }

    // The exception is not ignored, so that the empty configuration is not reported as a change.
    private void OnLoadException(FileLoadExceptionContext context)
    {
        var provider = context.Provider;
        _faults[provider] = $"{provider.Source.Path} cannot be read: {(context.Exception.InnerException ?? context.Exception).Message}";
        provider.GetReloadToken().RegisterChangeCallback(_ => _faults.TryRemove(provider, out var _), null);
        Occurred?.Invoke();
    }
}
