using Mesh.Protocol;

namespace Mesh.Simulation.Network;

/// <summary>A node that accepts connections. The calls for one connection come in its order.</summary>
internal interface IListener
{
    string Name { get; }

    bool IsUp { get; }

    bool SupportsWebSocket { get; }

    void OnOpened(SimConnection connection);

    void OnMessage(SimConnection connection, MeshMessage message);

    void OnClosed(SimConnection connection);
}
