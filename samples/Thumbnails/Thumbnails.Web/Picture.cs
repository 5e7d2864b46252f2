using System.Text.Json.Serialization;

namespace Thumbnails.Web;

/// <summary>The state of a picture on the page.</summary>
internal enum PictureState
{
    /// <summary>Not a state of a picture.</summary>
    None,

    /// <summary>The task waits for a worker.</summary>
    Queued,

    Running,

    /// <summary>The thumbnails are there.</summary>
    Done,

    Failed,

    Cancelled,
}

/// <summary>A picture as the page shows it. The id is also that of its task.</summary>
/// <param name="Order">Pictures are shown in this order, that of their upload.</param>
/// <param name="Bytes">The size of the uploaded file.</param>
internal sealed record Picture(string Id, long Order, string Name, long Bytes, PictureState State = PictureState.Queued)
{
    /// <summary>From 0 to 1 while a worker reports it, otherwise null.</summary>
    public double? Progress { get; init; }

    /// <summary>The id of the worker that runs or ran the task.</summary>
    public string? Worker { get; init; }

    /// <summary>The server that the worker belongs to, known when the picture is done.</summary>
    public string? Home { get; init; }

    /// <summary>The reason of a failure.</summary>
    public string? Error { get; init; }

    public int? Width { get; init; }

    public int? Height { get; init; }

    [JsonIgnore]
    public bool IsFinished => State is PictureState.Done or PictureState.Failed or PictureState.Cancelled;
}

/// <summary>What has changed since the last event.</summary>
/// <param name="IsComplete">Whether these are all pictures, so that others are gone.</param>
internal sealed record PictureChanges(bool IsComplete, IReadOnlyList<Picture> Pictures);
