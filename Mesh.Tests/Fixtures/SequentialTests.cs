namespace Mesh.Tests.Fixtures;

/// <summary>Tests that take the whole machine, or hold a limit of real time under load: they run after all that run side by side, one at a time.</summary>
[CollectionDefinition(Name, DisableParallelization = true)]
public sealed class SequentialTests
{
    public const string Name = "SequentialTests";
}
