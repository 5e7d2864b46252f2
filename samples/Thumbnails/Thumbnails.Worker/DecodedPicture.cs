using MeshAspire.Worker;
using SkiaSharp;

namespace Thumbnails.Worker;

/// <summary>A picture in memory, from which thumbnails are made. It uses at most <see cref="MaxPixels"/> times 4 bytes.</summary>
internal sealed class DecodedPicture : IDisposable
{
    /// <summary>The largest picture that is decoded. A JPEG is decoded at a fraction of its size where that is enough for the thumbnails.</summary>
    internal const int MaxPixels = 40_000_000;

    private const int Quality = 84;

    private static readonly SKSamplingOptions Smooth = new(SKFilterMode.Linear, SKMipmapMode.Linear);

    private readonly SKImage _image;
    private readonly SKMatrix _upright;

    private DecodedPicture(SKImage image, SKMatrix upright, int width, int height) => (_image, _upright, Width, Height) = (image, upright, width, height);

    /// <summary>The width of the original in pixels, the right way up.</summary>
    public int Width { get; }

    public int Height { get; }

    /// <summary>Decodes a file of any format that Skia knows.</summary>
    /// <param name="file">The content of the file.</param>
    /// <param name="largest">The longest side of the largest thumbnail, in pixels.</param>
    /// <exception cref="TaskFailedException">The file is not a picture, is damaged, or has too many pixels. Another attempt cannot succeed.</exception>
    public static DecodedPicture Decode(byte[] file, int largest)
    {
        using var data = SKData.CreateCopy(file);
        using var codec = SKCodec.Create(data) ?? throw Failed("The file is not a picture that can be read");
        var (full, turned) = (codec.Info.Size, IsTurned(codec.EncodedOrigin));
        // Twice the size of the thumbnail is enough for a smooth one.
        var decoded = codec.GetScaledDimensions(Math.Min(1, 2f * largest / Math.Max(full.Width, full.Height)));
        if ((long)decoded.Width * decoded.Height > MaxPixels)
        {
            throw Failed($"The picture has {full.Width} × {full.Height} pixels, more than {MaxPixels / 1_000_000} million");
        }

        using var bitmap = new SKBitmap(new SKImageInfo(decoded.Width, decoded.Height, SKColorType.Rgba8888, SKAlphaType.Premul));
        if (codec.GetPixels(bitmap.Info, bitmap.GetPixels()) is not SKCodecResult.Success)
        {
            throw Failed("The file is damaged: it could not be decoded completely");
        }

        bitmap.SetImmutable();
        var upright = turned ? new SKSizeI(decoded.Height, decoded.Width) : decoded;
        return new(SKImage.FromBitmap(bitmap), ToUpright(codec.EncodedOrigin, upright), turned ? full.Height : full.Width, turned ? full.Width : full.Height);
    }

    /// <summary>Makes a JPEG whose longest side has this number of pixels, or fewer when the picture is smaller.</summary>
    public (ThumbnailInfo Info, byte[] Jpeg) Scale(int size)
    {
        var factor = Math.Min(1f, (float)size / Math.Max(Width, Height));
        var (width, height) = (Math.Max(1, (int)MathF.Round(Width * factor)), Math.Max(1, (int)MathF.Round(Height * factor)));
        using var surface = SKSurface.Create(new SKImageInfo(width, height, SKColorType.Rgba8888, SKAlphaType.Opaque));
        var canvas = surface.Canvas;
        canvas.Clear(SKColors.White);
        var decoded = _upright.MapRect(_image.Info.Rect);
        canvas.Scale(width / decoded.Width, height / decoded.Height);
        canvas.Concat(_upright);
        canvas.DrawImage(_image, 0, 0, Smooth);
        using var thumbnail = surface.Snapshot();
        using var jpeg = thumbnail.Encode(SKEncodedImageFormat.Jpeg, Quality);
        var bytes = jpeg.ToArray();
        return (new ThumbnailInfo(size, width, height, bytes.Length), bytes);
    }

    public void Dispose() => _image.Dispose();

    private static TaskFailedException Failed(string reason) => new(reason, mayRetry: false);

    /// <summary>Whether width and height change places. Cameras store how they were held (EXIF).</summary>
    private static bool IsTurned(SKEncodedOrigin origin) =>
        origin is SKEncodedOrigin.LeftTop or SKEncodedOrigin.RightTop or SKEncodedOrigin.RightBottom or SKEncodedOrigin.LeftBottom;

    /// <summary>Returns the matrix that turns the stored picture the right way up.</summary>
    private static SKMatrix ToUpright(SKEncodedOrigin origin, SKSizeI upright)
    {
        var (w, h) = (upright.Width, upright.Height);
        return origin switch
        {
            SKEncodedOrigin.TopRight => new(-1, 0, w, 0, 1, 0, 0, 0, 1),
            SKEncodedOrigin.BottomRight => new(-1, 0, w, 0, -1, h, 0, 0, 1),
            SKEncodedOrigin.BottomLeft => new(1, 0, 0, 0, -1, h, 0, 0, 1),
            SKEncodedOrigin.LeftTop => new(0, 1, 0, 1, 0, 0, 0, 0, 1),
            SKEncodedOrigin.RightTop => new(0, -1, w, 1, 0, 0, 0, 0, 1),
            SKEncodedOrigin.RightBottom => new(0, -1, w, -1, 0, h, 0, 0, 1),
            SKEncodedOrigin.LeftBottom => new(0, 1, 0, -1, 0, h, 0, 0, 1),
            _ => SKMatrix.Identity,
        };
    }
}
