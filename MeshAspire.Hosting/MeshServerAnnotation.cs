namespace Aspire.Hosting.ApplicationModel;

/// <summary>Marks a project as a server of a mesh. <see cref="MeshServerBuilderExtensions.AddMeshServer"/> adds it.</summary>
/// <param name="token">The shared secret of the mesh.</param>
public sealed class MeshServerAnnotation(ParameterResource token) : IResourceAnnotation
{
    /// <summary>The shared secret of the mesh, which workers and clients of the server need too.</summary>
    public ParameterResource Token => token;
}
