namespace Mesh.Tests.Security;

/// <summary>Tests that take the whole machine, and would make others wait: they run after all that run side by side.</summary>
[CollectionDefinition(Name, DisableParallelization = true)]
public sealed class Alone
{
    public const string Name = "Alone";
}
