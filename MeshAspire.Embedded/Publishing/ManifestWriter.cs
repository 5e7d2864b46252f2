using System.Text.Json;
using Aspire.Hosting;
using Aspire.Hosting.ApplicationModel;

namespace MeshAspire.Embedded.Publishing;

/// <summary>
/// Writes resources as Aspire's deployment manifest (https://aspire.dev/deployment/manifest-format/): what is known only where the application
/// is deployed stands as a placeholder, such as <c>{server-a.bindings.http.host}</c>.
/// </summary>
internal sealed class ManifestWriter(Utf8JsonWriter json, string path, DistributedApplicationExecutionContext execution)
{
    private readonly ManifestReferences _references = new();

    /// <exception cref="DistributedApplicationException">A resource can't be published; the message names it.</exception>
    public async Task WriteAsync(IResourceCollection resources, CancellationToken cancellationToken)
    {
        json.WriteStartObject();
        json.WriteStartObject("resources");
        foreach (var resource in resources)
        {
            await WriteAsync(resource, cancellationToken);
        }

        // What the application refers to without having added it: the password of its Redis.
        foreach (var resource in _references.Resources.Where(resource => !resources.Contains(resource)))
        {
            await WriteAsync(resource, cancellationToken);
        }

        foreach (var conditional in _references.Conditionals)
        {
            json.WriteStartObject(conditional.Name!);
            json.WriteString("type", "value.v0");
            json.WriteString("connectionString", await conditional.GetValueAsync(cancellationToken) ?? "");
            json.WriteEndObject();
        }

        json.WriteEndObject();
        json.WriteEndObject();
        await json.FlushAsync(cancellationToken);
    }

    private async Task WriteAsync(IResource resource, CancellationToken cancellationToken)
    {
        json.WriteStartObject(resource.Name);
        switch (resource)
        {
            case ParameterResource parameter:
                WriteParameter(parameter);
                break;
            case ContainerResource container:
                await WriteContainerAsync(container, cancellationToken);
                break;
            case ProjectResource project:
                await WriteProjectAsync(project, cancellationToken);
                break;
            default:
                throw new DistributedApplicationException($"'{resource.Name}' can't be published: the manifest of the engine Embedded has no {resource.GetType().Name}.");
        }

        json.WriteEndObject();
        if (resource is ParameterResource { } one && _references.EncodedNameOf(one) is { } encoded)
        {
            json.WriteStartObject(encoded);
            json.WriteString("type", "annotated.string");
            json.WriteString("value", one.ValueExpression);
            json.WriteString("filter", ManifestReferences.UriFormat);
            json.WriteEndObject();
        }
    }

    private void WriteParameter(ParameterResource parameter)
    {
        json.WriteString("type", "parameter.v0");
        json.WriteString("value", $"{{{parameter.Name}.inputs.value}}");
        json.WriteStartObject("inputs");
        json.WriteStartObject("value");
        json.WriteString("type", "string");
        if (parameter.Secret)
        {
            json.WriteBoolean("secret", true);
        }

        if (parameter.Default is GenerateParameterDefault generated)
        {
            json.WriteStartObject("default");
            WriteGenerated(generated);
            json.WriteEndObject();
        }

        json.WriteEndObject();
        json.WriteEndObject();
    }

    /// <summary>Each kind of character that is left out, each least number that is asked for.</summary>
    private void WriteGenerated(GenerateParameterDefault generated)
    {
        json.WriteStartObject("generate");
        json.WriteNumber("minLength", generated.MinLength);
        (string Name, bool Allowed)[] kinds =
            [("lower", generated.Lower), ("upper", generated.Upper), ("numeric", generated.Numeric), ("special", generated.Special)];
        foreach (var (name, _) in kinds.Where(kind => !kind.Allowed))
        {
            json.WriteBoolean(name, false);
        }

        (string Name, int Least)[] least =
            [("minLower", generated.MinLower), ("minUpper", generated.MinUpper), ("minNumeric", generated.MinNumeric), ("minSpecial", generated.MinSpecial)];
        foreach (var (name, number) in least.Where(one => one.Least != 0))
        {
            json.WriteNumber(name, number);
        }

        json.WriteEndObject();
    }

    private async Task WriteContainerAsync(ContainerResource container, CancellationToken cancellationToken)
    {
        var description = container.Describe() ?? throw new DistributedApplicationException($"'{container.Name}' can't be published: it names no image.");
        json.WriteString("type", "container.v0");
        if (container is IResourceWithConnectionString { ConnectionStringExpression: var connection })
        {
            json.WriteString("connectionString", _references.Follow(connection));
        }

        json.WriteString("image", description.Image);
        if (container.Entrypoint is { } entrypoint)
        {
            json.WriteString("entrypoint", entrypoint);
        }

        json.WriteStartArray("args");
        foreach (var argument in description.Arguments)
        {
            json.WriteStringValue(argument);
        }

        json.WriteEndArray();
        if (description.Volumes.Count > 0)
        {
            json.WriteStartArray("volumes");
            foreach (var volume in description.Volumes)
            {
                json.WriteStartObject();
                json.WriteString("name", volume.Name);
                json.WriteString("target", volume.Target);
                json.WriteBoolean("readOnly", false);
                json.WriteEndObject();
            }

            json.WriteEndArray();
        }

        await WriteEnvironmentAsync(container, cancellationToken);
        WriteBindings(container);
    }

    private async Task WriteProjectAsync(ProjectResource project, CancellationToken cancellationToken)
    {
        var file = project.Annotations.OfType<IProjectMetadata>().Single().ProjectPath;
        json.WriteString("type", "project.v0");
        json.WriteString("path", Path.GetRelativePath(Path.GetDirectoryName(path)!, file).Replace('\\', '/'));
        await WriteEnvironmentAsync(project, cancellationToken);
        WriteBindings(project);
    }

    private async Task WriteEnvironmentAsync(IResource resource, CancellationToken cancellationToken)
    {
        var context = new EnvironmentCallbackContext(execution, resource, cancellationToken: cancellationToken);
        foreach (var annotation in resource.Annotations.OfType<EnvironmentCallbackAnnotation>())
        {
            await annotation.Callback(context);
        }

        if (context.EnvironmentVariables.Count == 0)
        {
            return;
        }

        json.WriteStartObject("env");
        foreach (var (name, value) in context.EnvironmentVariables)
        {
            json.WriteString(name, _references.Follow(value));
        }

        json.WriteEndObject();
    }

    private void WriteBindings(IResource resource)
    {
        var endpoints = resource.Annotations.OfType<EndpointAnnotation>().ToArray();
        if (endpoints.Length == 0)
        {
            return;
        }

        json.WriteStartObject("bindings");
        foreach (var endpoint in endpoints)
        {
            json.WriteStartObject(endpoint.Name);
            json.WriteString("scheme", endpoint.UriScheme);
            json.WriteString("protocol", endpoint.Protocol.ToString().ToLowerInvariant());
            json.WriteString("transport", endpoint.Transport);

            // A container listens on the port that it is reached at unless told otherwise; where a project does, its platform decides.
            var target = endpoint.TargetPort ?? (resource is ContainerResource ? endpoint.Port : null);
            if (endpoint.Port is { } port && port != target)
            {
                json.WriteNumber("port", port);
            }

            if (target is { } listened)
            {
                json.WriteNumber("targetPort", listened);
            }

            if (endpoint.IsExternal)
            {
                json.WriteBoolean("external", true);
            }

            json.WriteEndObject();
        }

        json.WriteEndObject();
    }
}
