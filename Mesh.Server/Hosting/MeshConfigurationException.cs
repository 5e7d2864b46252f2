namespace Mesh.Server.Hosting;

/// <summary>A fault of the configuration that shows only once the server listens; the message is for the operator.</summary>
internal sealed class MeshConfigurationException(string message) : Exception(message);
