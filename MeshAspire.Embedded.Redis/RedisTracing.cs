using System.Diagnostics;
using System.Net;
using OpenTelemetry;
using StackExchange.Redis.Profiling;

namespace Aspire.StackExchange.Redis;

/// <summary>
/// A span for each command that was sent on behalf of another span, below that one: the client profiles the commands of a recorded span, and the spans are made when
/// it ends. A command on nobody's behalf (a health probe, a write for many tasks at once) leaves none and costs nothing. Names and attributes are those of
/// OpenTelemetry's conventions (https://opentelemetry.io/docs/specs/semconv/db/redis/); keys and values are not told.
/// </summary>
internal sealed class RedisTracing : BaseProcessor<Activity>
{
    public const string SourceName = "MeshAspire.Embedded.Redis";

    private static readonly ActivitySource Source = new(SourceName);
    private static readonly Lock Gate = new();

    /// <summary>Where the client reports the command that the caller is about to send; null when nobody wants to know.</summary>
    public static ProfilingSession? Session() => Activity.Current is { Recorded: true, IsStopped: false } caller ? SessionOf(caller) ?? Open(caller) : null;

    public override void OnEnd(Activity data)
    {
        if (SessionOf(data) is { } session)
        {
            foreach (var command in session.FinishProfiling())
            {
                Tell(command, data.Context);
            }
        }
    }

    private static ProfilingSession? SessionOf(Activity caller) => (ProfilingSession?)caller.GetCustomProperty(SourceName);

    private static ProfilingSession Open(Activity caller)
    {
        lock (Gate)
        {
            if (SessionOf(caller) is { } opened)
            {
                return opened;
            }

            var session = new ProfilingSession();
            caller.SetCustomProperty(SourceName, session);
            return session;
        }
    }

    private static void Tell(IProfiledCommand command, ActivityContext caller)
    {
        using var activity = Source.StartActivity(command.Command, ActivityKind.Client, caller, startTime: command.CommandCreated);
        if (activity is not { IsAllDataRequested: true })
        {
            return;
        }

        activity.SetTag("db.system.name", "redis");
        activity.SetTag("db.operation.name", command.Command);
        if (command.Db >= 0)
        {
            activity.SetTag("db.namespace", DatabaseName(command.Db));
        }

        switch (command.EndPoint)
        {
            case DnsEndPoint dns:
                activity.SetTag("server.address", dns.Host).SetTag("server.port", dns.Port);
                break;
            case IPEndPoint ip:
                activity.SetTag("server.address", ip.Address.ToString()).SetTag("server.port", ip.Port);
                break;
            case { } other:
                activity.SetTag("server.address", other.ToString());
                break;
            default:
                break;
        }

        activity.SetEndTime(command.CommandCreated + command.ElapsedTime);
    }

    private static string DatabaseName(int database) => database == 0 ? "0" : database.ToString(System.Globalization.CultureInfo.InvariantCulture);
}
