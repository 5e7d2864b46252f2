using System.Runtime.CompilerServices;

internal static class EngineVariable
{
    /// <summary>
    /// Aspire starts a project by <c>dotnet run --no-build</c>, which looks for its output anew: the variable, which the orchestrator and its processes inherit,
    /// says which engine's to take, also where this AppHost was built with <c>-p:MeshEngine=Aspire</c>.
    /// </summary>
    [ModuleInitializer]
    public static void Set() => Environment.SetEnvironmentVariable("MeshEngine", "Aspire");
}
