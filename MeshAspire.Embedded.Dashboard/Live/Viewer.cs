using Microsoft.JSInterop;

namespace MeshAspire.Embedded.Dashboard.Live;

/// <summary>What is known of the browser that looks: its time zone.</summary>
public sealed class Viewer(IJSRuntime js)
{
    private TimeZoneInfo _zone = TimeZoneInfo.Local;

    public async Task LearnAsync()
    {
        var id = await js.InvokeAsync<string>("dashboard.timeZone");
        if (TimeZoneInfo.TryFindSystemTimeZoneById(id, out var zone))
        {
            _zone = zone;
        }
    }

    /// <param name="nanoseconds">Since 1970 UTC.</param>
    public DateTimeOffset Local(long nanoseconds) => Local(DateTimeOffset.UnixEpoch.AddTicks(nanoseconds / 100));

    public DateTimeOffset Local(DateTimeOffset time) => TimeZoneInfo.ConvertTime(time, _zone);
}
