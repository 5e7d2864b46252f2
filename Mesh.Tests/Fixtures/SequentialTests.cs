namespace Mesh.Tests.Fixtures;

/// <summary>Tests that use the whole machine. They run one at a time, after the parallel tests.</summary>
[CollectionDefinition(Name, DisableParallelization = true)]
public sealed class SequentialTests
{
    public const string Name = "SequentialTests";
}
