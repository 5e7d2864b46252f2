namespace Thumbnails.Web;

/// <summary>The limits of the web app. The page reads them too.</summary>
internal static class PictureLimits
{
    /// <summary>The size of one file.</summary>
    public const int MaxFileBytes = 20 * 1024 * 1024;

    /// <summary>The size of one thumbnail.</summary>
    public const int MaxThumbnailBytes = 4 * 1024 * 1024;

    /// <summary>The number of pictures on the page. The oldest finished ones make room for new ones.</summary>
    public const int MaxPictures = 300;

    /// <summary>The size of all uploaded files that wait for their thumbnails.</summary>
    public const long MaxWaitingBytes = 1024L * 1024 * 1024;

    public const int MaxNameLength = 120;

    /// <summary>The longest sides of the thumbnails, in pixels. The page shows the first one and links to the last one.</summary>
    public static readonly int[] Sizes = [320, 640, 1280];
}
