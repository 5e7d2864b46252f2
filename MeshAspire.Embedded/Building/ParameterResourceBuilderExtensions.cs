using Aspire.Hosting.ApplicationModel;

namespace Aspire.Hosting;

public static class ParameterResourceBuilderExtensions
{
    /// <summary>A parameter without default: <c>Parameters:{name}</c> must be configured.</summary>
    public static IResourceBuilder<ParameterResource> AddParameter(this IDistributedApplicationBuilder builder, string name, bool secret = false) =>
        builder.AddResource(Create(builder, name, secret));

    /// <summary>A parameter that is generated unless <c>Parameters:{name}</c> is configured. It isn't kept from run to run.</summary>
    public static IResourceBuilder<ParameterResource> AddParameter(
        this IDistributedApplicationBuilder builder, string name, ParameterDefault value, bool secret = false, bool persist = false)
    {
        if (persist)
        {
            throw new NotSupportedException($"The parameter '{name}' can't persist: configure Parameters:{name}.");
        }

        var parameter = Create(builder, name, secret);
        parameter.Default = value;
        return builder.AddResource(parameter);
    }

    /// <summary>The random password of a resource, unless <c>Parameters:{name}</c> is configured.</summary>
    public static ParameterResource CreateDefaultPasswordParameter(
        IDistributedApplicationBuilder builder, string name, bool lower = true, bool upper = true, bool numeric = true, bool special = true,
        int minLower = 0, int minUpper = 0, int minNumeric = 0, int minSpecial = 0)
    {
        var parameter = Create(builder, name, secret: true);
        parameter.Default = new GenerateParameterDefault
        {
            Lower = lower,
            Upper = upper,
            Numeric = numeric,
            Special = special,
            MinLower = minLower,
            MinUpper = minUpper,
            MinNumeric = minNumeric,
            MinSpecial = minSpecial,
        };
        return parameter;
    }

    private static ParameterResource Create(IDistributedApplicationBuilder builder, string name, bool secret) =>
        new(name, value => builder.Configuration[$"Parameters:{name}"] ?? value?.GetDefaultValue() ?? throw new DistributedApplicationException(
            $"The parameter '{name}' has no value: set Parameters:{name}, as an environment variable Parameters__{name}."), secret);
}
