namespace MeshAspire.Embedded.Dashboard.Feed;

internal sealed partial class FeedLink
{
    [LoggerMessage(1, LogLevel.Warning, "A line of the AppHost's feed can't be read: {Fault}")]
    private partial void LogUnreadable(string fault);
}
