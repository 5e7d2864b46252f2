using Microsoft.AspNetCore.Connections;

namespace Mesh.Server.Sessions;

/// <summary>The end of a connection that is not served: what has been written is sent, and arrives.</summary>
internal static class FinalResponse
{
    /// <summary>Sends what is in the output, and reads until the peer has closed: a socket closed with unread input resets the connection, and the answer may be lost.</summary>
    public static async Task FlushAndDrainAsync(ConnectionContext context, CancellationToken cancellationToken)
    {
        await context.Transport.Output.CompleteAsync();
        bool isCompleted;
        do
        {
            var rest = await context.Transport.Input.ReadAsync(cancellationToken);
            context.Transport.Input.AdvanceTo(rest.Buffer.End);
            isCompleted = rest.IsCompleted;
        }
        while (!isCompleted);
    }
}
