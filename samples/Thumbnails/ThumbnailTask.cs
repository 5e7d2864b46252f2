namespace Thumbnails;

/// <summary>The payload of a task THUMBNAIL. This file is compiled into the web app, which submits the tasks, and into the worker.</summary>
/// <param name="Picture">The id of the picture at the web app.</param>
/// <param name="Sizes">The longest sides of the thumbnails, in pixels.</param>
public sealed record ThumbnailTask(string Picture, int[] Sizes)
{
    public const string Type = "THUMBNAIL";

    /// <summary>The path of the uploaded file.</summary>
    public static string FilePath(string picture) => $"/api/pictures/{picture}/file";

    /// <summary>The path of a thumbnail.</summary>
    public static string ThumbnailPath(string picture, int size) => $"/api/pictures/{picture}/thumbnails/{size}";
}

/// <summary>The result of a task THUMBNAIL.</summary>
/// <param name="Width">The width of the picture in pixels, the right way up.</param>
/// <param name="Height">The height of the picture in pixels.</param>
/// <param name="Thumbnails">The thumbnails that were uploaded.</param>
/// <param name="Home">The server that the worker belongs to.</param>
public sealed record ThumbnailResult(int Width, int Height, ThumbnailInfo[] Thumbnails, string Home);

/// <summary>A thumbnail.</summary>
/// <param name="Bytes">The size of its file.</param>
public sealed record ThumbnailInfo(int Size, int Width, int Height, int Bytes);
