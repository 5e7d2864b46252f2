using Microsoft.AspNetCore.Connections.Features;

namespace MeshAspire.Embedded.Dashboard.Access;

/// <summary>Which listener a request came in by; on an endpoint, which it may come in by.</summary>
internal sealed class Door
{
    /// <summary>Exporters, with the key of the OTLP endpoint.</summary>
    public static readonly Door Otlp = new();

    /// <summary>People, with the token or its cookie.</summary>
    public static readonly Door Page = new();

    private static readonly object Key = new();

    private Door()
    {
    }

    /// <summary>Marks a connection. Ports may be any, so they can't tell.</summary>
    public void Mark(IDictionary<object, object?> items) => items[Key] = this;

    public static Door Of(HttpContext context) =>
        context.Features.Get<IConnectionItemsFeature>()?.Items.TryGetValue(Key, out var door) is true && door is Door known
            ? known
            : throw new InvalidOperationException("The connection came in by no door.");
}
