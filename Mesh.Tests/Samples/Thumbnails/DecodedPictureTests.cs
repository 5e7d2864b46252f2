using System.Buffers.Binary;
using MeshAspire.Worker;
using SkiaSharp;
using Thumbnails.Worker;

namespace Mesh.Tests.Samples.Thumbnails;

/// <summary>How the sample's worker decodes and scales pictures.</summary>
public sealed class DecodedPictureTests
{
    [Theory]
    [InlineData(800, 600, 320, 320, 240)]
    [InlineData(600, 800, 320, 240, 320)]
    [InlineData(100, 50, 320, 100, 50)]
    [InlineData(5000, 1, 320, 320, 1)]
    public void Scale_AnyPicture_KeepsItsProportions(int width, int height, int size, int expectedWidth, int expectedHeight)
    {
        using var picture = DecodedPicture.Decode(Encode(width, height, SKEncodedImageFormat.Png), size);

        var (info, jpeg) = picture.Scale(size);

        using var thumbnail = SKBitmap.Decode(jpeg);
        Assert.Equal((expectedWidth, expectedHeight, expectedWidth, expectedHeight), (info.Width, info.Height, thumbnail.Width, thumbnail.Height));
        Assert.Equal((width, height, jpeg.Length), (picture.Width, picture.Height, info.Bytes));
    }

    /// <summary>The left half of the stored picture is red. The value is the one of EXIF.</summary>
    [Theory]
    [InlineData(1, 0, 1)]
    [InlineData(2, 2, 1)]
    [InlineData(3, 2, 1)]
    [InlineData(4, 0, 1)]
    [InlineData(5, 1, 0)]
    [InlineData(6, 1, 0)]
    [InlineData(7, 1, 2)]
    [InlineData(8, 1, 2)]
    public void Scale_PictureOfATurnedCamera_IsTheRightWayUp(byte orientation, int redX, int redY)
    {
        var isTurned = orientation >= 5;
        using var picture = DecodedPicture.Decode(WithOrientation(Encode(400, 200, SKEncodedImageFormat.Jpeg), orientation), 100);

        var (info, jpeg) = picture.Scale(100);

        Assert.Equal(isTurned ? (200, 400) : (400, 200), (picture.Width, picture.Height));
        Assert.Equal(isTurned ? (50, 100) : (100, 50), (info.Width, info.Height));
        using var thumbnail = SKBitmap.Decode(jpeg);
        // The middle of each side: 0 is left or top, 2 right or bottom.
        var red = thumbnail.GetPixel(At(redX, info.Width), At(redY, info.Height));
        var blue = thumbnail.GetPixel(At(2 - redX, info.Width), At(2 - redY, info.Height));
        Assert.True(red is { Red: > 200, Blue: < 60 }, $"{red}");
        Assert.True(blue is { Red: < 60, Blue: > 200 }, $"{blue}");

        static int At(int third, int length) => (length * ((third * 2) + 1)) / 6;
    }

    [Fact]
    public void Scale_TransparentPicture_GetsAWhiteGround()
    {
        using var bitmap = new SKBitmap(20, 20);
        bitmap.Erase(SKColors.Transparent);
        using var picture = DecodedPicture.Decode(bitmap.Encode(SKEncodedImageFormat.Png, 100).ToArray(), 20);

        using var thumbnail = SKBitmap.Decode(picture.Scale(20).Jpeg);

        Assert.Equal(SKColors.White, thumbnail.GetPixel(10, 10));
    }

    [Fact]
    public void Decode_NoPicture_FailsWithoutARetry() => FailsWith("The file is not a picture that can be read", "This is a text."u8.ToArray());

    [Fact]
    public void Decode_DamagedPicture_FailsWithoutARetry()
    {
        var file = Encode(800, 600, SKEncodedImageFormat.Png);
        FailsWith("The file is damaged: it could not be decoded completely", file[..(file.Length / 2)]);
    }

    /// <summary>A small file can contain a picture that fills the memory.</summary>
    [Fact]
    public void Decode_TooManyPixels_FailsWithoutARetry() =>
        FailsWith("The picture has 30000 × 30000 pixels, more than 40 million", HugePng(30_000));

    private static void FailsWith(string reason, byte[] file)
    {
        var fault = Assert.Throws<TaskFailedException>(() => DecodedPicture.Decode(file, 320));
        Assert.Equal((reason, false), (fault.Message, fault.MayRetry));
    }

    private static byte[] Encode(int width, int height, SKEncodedImageFormat format)
    {
        using var bitmap = new SKBitmap(width, height);
        using (var canvas = new SKCanvas(bitmap))
        {
            canvas.Clear(SKColors.Blue);
            using var red = new SKPaint { Color = SKColors.Red };
            canvas.DrawRect(0, 0, width / 2f, height, red);
        }

        return bitmap.Encode(format, 95).ToArray();
    }

    /// <summary>Inserts EXIF data with an orientation into a JPEG, after its first marker.</summary>
    private static byte[] WithOrientation(byte[] jpeg, byte orientation) =>
    [
        .. jpeg[..2],
        0xFF, 0xE1, 0, 34, .. "Exif\0\0"u8, .. "MM\0*"u8, 0, 0, 0, 8, 0, 1, 0x01, 0x12, 0, 3, 0, 0, 0, 1, 0, orientation, 0, 0, 0, 0, 0, 0,
        .. jpeg[2..],
    ];

    /// <summary>Changes the size in the header of a PNG. The content is not read before the size is checked.</summary>
    private static byte[] HugePng(int side)
    {
        const int header = 12, size = 16, check = 29;
        var file = Encode(8, 8, SKEncodedImageFormat.Png);
        BinaryPrimitives.WriteInt32BigEndian(file.AsSpan(size), side);
        BinaryPrimitives.WriteInt32BigEndian(file.AsSpan(size + 4), side);
        BinaryPrimitives.WriteUInt32BigEndian(file.AsSpan(check), Crc32(file.AsSpan(header, check - header)));
        return file;
    }

    private static uint Crc32(ReadOnlySpan<byte> data)
    {
        var crc = uint.MaxValue;
        foreach (var one in data)
        {
            crc ^= one;
            for (var bit = 0; bit < 8; bit++)
            {
                crc = (crc & 1) == 1 ? (crc >> 1) ^ 0xEDB88320 : crc >> 1;
            }
        }

        return ~crc;
    }
}
