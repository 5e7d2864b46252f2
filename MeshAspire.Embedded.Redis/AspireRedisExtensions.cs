using Aspire.StackExchange.Redis;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using OpenTelemetry.Trace;
using StackExchange.Redis;

namespace Microsoft.Extensions.Hosting;

public static class AspireRedisExtensions
{
    private const string SectionName = "Aspire:StackExchange:Redis";

    /// <summary>
    /// Registers the <see cref="IConnectionMultiplexer"/> of a connection string, a health check of it, and the tracing of its commands.
    /// It connects when the host starts; a Redis that is away then or later doesn't end the process, the connection is tried again.
    /// </summary>
    /// <param name="builder">The host's builder.</param>
    /// <param name="connectionName">The name under <c>ConnectionStrings</c>.</param>
    /// <param name="configureSettings">Changes the settings, after configuration was read.</param>
    /// <param name="configureOptions">Changes the options of the connection, after the connection string was read.</param>
    public static void AddRedisClient(
        this IHostApplicationBuilder builder,
        string connectionName,
        Action<StackExchangeRedisSettings>? configureSettings = null,
        Action<ConfigurationOptions>? configureOptions = null)
    {
        ArgumentNullException.ThrowIfNull(builder);
        ArgumentException.ThrowIfNullOrEmpty(connectionName);

        var settings = new StackExchangeRedisSettings();
        builder.Configuration.GetSection(SectionName).Bind(settings);
        builder.Configuration.GetSection($"{SectionName}:{connectionName}").Bind(settings);
        settings.ConnectionString = builder.Configuration.GetConnectionString(connectionName) ?? settings.ConnectionString;
        configureSettings?.Invoke(settings);

        builder.Services.AddSingleton<IConnectionMultiplexer>(services => Connect(Options(services, settings, connectionName, configureOptions), settings));
        builder.Services.ActivateSingleton<IConnectionMultiplexer>();

        if (!settings.DisableHealthChecks)
        {
            builder.Services.AddHealthChecks().AddCheck<RedisHealthCheck>("StackExchange.Redis");
        }

        if (!settings.DisableTracing)
        {
            builder.Services.AddOpenTelemetry().WithTracing(tracing => tracing.AddSource(RedisTracing.SourceName).AddProcessor(_ => new RedisTracing()));
        }
    }

    private static ConnectionMultiplexer Connect(ConfigurationOptions options, StackExchangeRedisSettings settings)
    {
        var connection = ConnectionMultiplexer.Connect(options);
        if (!settings.DisableTracing)
        {
            connection.RegisterProfiler(RedisTracing.Session);
        }

        return connection;
    }

    private static ConfigurationOptions Options(
        IServiceProvider services, StackExchangeRedisSettings settings, string name, Action<ConfigurationOptions>? configure)
    {
        var key = $"ConnectionStrings__{name}";
        if (string.IsNullOrWhiteSpace(settings.ConnectionString))
        {
            throw new InvalidOperationException(
                $"No connection string of Redis: set {key}, for instance {key}=localhost:6379,password=secret.");
        }

        ConfigurationOptions options;
        try
        {
            options = ConfigurationOptions.Parse(settings.ConnectionString);
        }
        catch (ArgumentException exception)
        {
            // The value holds a password, so only the parser's own words are told.
            throw new InvalidOperationException($"The connection string in {key} can't be read: {exception.Message}", exception);
        }

        options.AbortOnConnectFail = false;
        configure?.Invoke(options);
        if (options.EndPoints.Count == 0)
        {
            throw new InvalidOperationException($"The connection string in {key} names no host: it begins with host:port.");
        }

        options.LoggerFactory ??= services.GetService<ILoggerFactory>();
        return options;
    }
}
