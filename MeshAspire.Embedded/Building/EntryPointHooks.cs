using Microsoft.Extensions.Hosting;

namespace Aspire.Hosting;

/// <summary>How a test gets hold of the application that an AppHost's own entry point composes: set for the thread that the entry point runs on.</summary>
/// <param name="Creating">May change the options of the builder.</param>
/// <param name="Building">Gets the builder and what builds its host; returns the application that the entry point is to have.</param>
internal sealed record EntryPointHooks(
    Action<DistributedApplicationOptions, HostApplicationBuilderSettings> Creating,
    Func<DistributedApplicationBuilder, Func<IHost>, DistributedApplication> Building)
{
    private static readonly AsyncLocal<EntryPointHooks?> Local = new();

    public static EntryPointHooks? Current
    {
        get => Local.Value;
        set => Local.Value = value;
    }
}
