using Mesh.Protocol;

namespace Mesh.Simulation;

/// <summary>A node that others connect to. What it is told of a connection comes in the order of that connection.</summary>
internal interface IListener
{
    string Name { get; }

    bool IsUp { get; }

    bool SupportsWebSocket { get; }

    void OnOpened(SimConnection connection);

    void OnMessage(SimConnection connection, MeshMessage message);

    void OnClosed(SimConnection connection);
}
