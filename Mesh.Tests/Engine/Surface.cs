using System.Reflection;
using Aspire.Hosting;
using Aspire.Hosting.ApplicationModel;
using Aspire.Hosting.Testing;
using Microsoft.Extensions.Hosting;

namespace Mesh.Tests.Engine;

/// <summary>The public surface of an engine's assemblies as text, a line for each type and member: names, parameters, defaults, results, constraints.</summary>
internal static class Surface
{
    private const BindingFlags Declared = BindingFlags.Public | BindingFlags.Instance | BindingFlags.Static | BindingFlags.DeclaredOnly;

    // What the compiler adds to a record, and what every object has.
    private static readonly HashSet<string> Generated = ["<Clone>$", "Equals", "GetHashCode", "ToString", "Deconstruct"];

    // Aspire has an assembly for each of these, Embedded one for the first three.
    private static readonly Type[] OneOfEachAssembly =
    [
        typeof(DistributedApplication), typeof(RedisResource), typeof(DockerComposeEnvironmentExtensions),
        typeof(DistributedApplicationTestingBuilder), typeof(AspireRedisExtensions),
    ];

    /// <summary>What the engine that these tests were built for offers.</summary>
    public static IReadOnlyCollection<string> Offered()
    {
        var types = OneOfEachAssembly.Select(type => type.Assembly).Distinct().SelectMany(assembly => assembly.GetExportedTypes()).Where(IsIncluded);
        return [.. types.SelectMany(Lines).Distinct().Order(StringComparer.Ordinal)];
    }

    /// <summary>What of Aspire's packages the AppHost, the services and the tests may use: Aspire-13.5.2.txt.</summary>
    public static IReadOnlyCollection<string> Listed()
    {
        using var stream = typeof(Surface).Assembly.GetManifestResourceStream("Aspire-13.5.2.txt")!;
        using var reader = new StreamReader(stream);
        return reader.ReadToEnd().Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
    }

    private static bool IsIncluded(Type type) =>
        type.Namespace is { } name && (name.StartsWith("Aspire.", StringComparison.Ordinal) || name == typeof(AspireRedisExtensions).Namespace);

    private static IEnumerable<string> Lines(Type type)
    {
        var name = $"{type.Namespace}.{Name(type)}";
        yield return $"{name} {(type.IsInterface ? "interface" : type.IsEnum ? "enum" : type.IsValueType ? "struct" : "class")}";
        foreach (var parent in type.GetInterfaces().Append(type.BaseType).OfType<Type>().Where(IsIncluded))
        {
            yield return $"{name} : {Name(parent)}";
        }

        foreach (var member in type.GetMembers(Declared))
        {
            if (Line(member) is { } line)
            {
                yield return $"{name}.{line}";
            }
        }
    }

    private static string? Line(MemberInfo member) => member switch
    {
        ConstructorInfo constructor => $"ctor({Parameters(constructor)})",
        FieldInfo { IsLiteral: true } field => $"{field.Name} = {field.GetRawConstantValue()}",
        FieldInfo { IsSpecialName: false } field => $"{field.Name} : {Name(field.FieldType)}",
        PropertyInfo property => $"{property.Name} : {Name(property.PropertyType)}{(property.GetMethod is { IsPublic: true } ? " get" : "")}{(property.SetMethod is { IsPublic: true } ? " set" : "")}",
        MethodInfo method when (!method.IsSpecialName || method.Name == "op_Implicit") && !Generated.Contains(method.Name) =>
            $"{method.Name}{Arguments(method.GetGenericArguments())}({Parameters(method)}) : {Name(method.ReturnType)}{Constraints(method)}",
        _ => null,
    };

    private static string Parameters(MethodBase method) => string.Join(", ", method.GetParameters().Select(parameter =>
        $"{(parameter.IsOut ? "out " : parameter.ParameterType.IsByRef ? "in " : "")}{Name(parameter.ParameterType)} {parameter.Name}{(parameter.HasDefaultValue ? $" = {parameter.RawDefaultValue ?? "default"}" : "")}"));

    private static string Constraints(MethodInfo method) => string.Concat(method.GetGenericArguments().Select(argument =>
    {
        var kinds = argument.GenericParameterAttributes & GenericParameterAttributes.SpecialConstraintMask;
        var bounds = argument.GetGenericParameterConstraints().Select(Name).Order(StringComparer.Ordinal).ToList();
        bounds.AddRange(kinds == 0 ? [] : [kinds.ToString()]);
        return bounds.Count == 0 ? "" : $" where {argument.Name} : {string.Join(", ", bounds)}";
    }));

    private static string Name(Type type)
    {
        if (type.HasElementType)
        {
            return Name(type.GetElementType()!) + (type.IsArray ? "[]" : "");
        }

        if (Nullable.GetUnderlyingType(type) is { } value)
        {
            return Name(value) + "?";
        }

        var own = type.Name.Split('`')[0];
        return type.IsGenericParameter ? own
            : $"{(type.IsNested ? Name(type.DeclaringType!) + "." : "")}{own}{Arguments(type.GetGenericArguments())}";
    }

    private static string Arguments(Type[] types) => types.Length == 0 ? "" : $"<{string.Join(", ", types.Select(Name))}>";
}
