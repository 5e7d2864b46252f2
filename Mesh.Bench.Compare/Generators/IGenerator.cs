namespace Mesh.Bench.Compare.Generators;

/// <summary>Submits tasks to one system and runs them with its own workers.</summary>
internal interface IGenerator : IAsyncDisposable
{
    /// <summary>The number of tasks whose completion is stored.</summary>
    int Completed { get; }

    /// <summary>Connects the workers, which start to run tasks.</summary>
    Task ConnectAsync(CancellationToken cancellationToken);

    /// <summary>Submits some tasks. When it returns, they are stored.</summary>
    Task SubmitAsync(int first, int count, CancellationToken cancellationToken);
}
