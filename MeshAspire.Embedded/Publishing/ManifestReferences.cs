using System.Globalization;
using Aspire.Hosting;
using Aspire.Hosting.ApplicationModel;

namespace MeshAspire.Embedded.Publishing;

/// <summary>Turns values into placeholders, and remembers what these lead to, so that all of it is in the manifest.</summary>
internal sealed class ManifestReferences
{
    public const string UriFormat = "uri";

    private readonly List<IResource> _resources = [];
    private readonly List<ReferenceExpression> _conditionals = [];
    private readonly HashSet<ParameterResource> _encoded = [];

    /// <summary>The resources that the values so far lead to, in that order.</summary>
    public IReadOnlyList<IResource> Resources => _resources;

    /// <summary>The conditional texts that the values so far hold, one of each name.</summary>
    public IReadOnlyList<ReferenceExpression> Conditionals => _conditionals;

    /// <summary>The entry with the parameter's value percent-encoded; null when nothing asks for it.</summary>
    public string? EncodedNameOf(ParameterResource parameter) => _encoded.Contains(parameter) ? EncodedName(parameter) : null;

    /// <returns>The value's text in the manifest.</returns>
    public string Follow(object value)
    {
        Note(value);
        return value switch
        {
            string text => text,
            ReferenceExpression { IsConditional: false } expression => Text(expression),
            IManifestExpressionProvider provider => provider.ValueExpression,
            IFormattable other => other.ToString(null, CultureInfo.InvariantCulture),
            _ => throw new DistributedApplicationException($"A {value.GetType().Name} has no text in a manifest."),
        };
    }

    private static string EncodedName(ParameterResource parameter) => $"{parameter.Name}-{UriFormat}-encoded";

    private static string Text(ReferenceExpression expression)
    {
        var holes = expression.ManifestExpressions.Select((text, hole) => expression.StringFormats[hole] == UriFormat
            ? $"{{{EncodedName((ParameterResource)expression.ValueProviders[hole])}.value}}"
            : text);
        return string.Format(CultureInfo.InvariantCulture, expression.Format, [.. holes]);
    }

    private void Note(object value)
    {
        switch (value)
        {
            case IResource resource:
                if (!_resources.Contains(resource))
                {
                    _resources.Add(resource);
                }

                break;
            case ConnectionStringReference reference:
                Note(reference.Resource);
                break;
            case EndpointReference endpoint:
                Note(endpoint.Resource);
                break;
            case EndpointReferenceExpression part:
                Note(part.Endpoint);
                break;
            case ReferenceExpression expression:
                NoteParts(expression);
                break;
        }
    }

    private void NoteParts(ReferenceExpression expression)
    {
        if (expression.IsConditional && _conditionals.All(other => other.Name != expression.Name))
        {
            _conditionals.Add(expression);
        }

        for (var hole = 0; hole < expression.ValueProviders.Count; hole++)
        {
            var provider = expression.ValueProviders[hole];
            if (!expression.IsConditional && expression.StringFormats[hole] == UriFormat)
            {
                _encoded.Add((ParameterResource)provider);
            }

            Note(provider);
        }
    }
}
