using Thumbnails.Web;

namespace Mesh.Tests.Samples.Thumbnails;

/// <summary>The pictures that the sample's web app keeps, and the feed of their changes.</summary>
public sealed class PictureBoardTests
{
    private readonly PictureBoard _board = new();

    [Fact]
    public void Add_BoardFull_RemovesTheOldestFinishedPicture()
    {
        Fill();
        Assert.Null(_board.Add("more", "more.jpg", 1, out _));
        _board.Update("7", Finish);
        _board.Update("3", Finish);

        Assert.NotNull(_board.Add("more", "more.jpg", 1, out var removed));

        Assert.Equal("3", Assert.Single(removed).Id);
        Assert.Null(_board.Find("3"));
        Assert.NotNull(_board.Find("7"));
    }

    [Fact]
    public void Add_WaitingFilesTooLarge_IsRefusedUntilOneIsFinished()
    {
        Assert.NotNull(_board.Add("large", "large.jpg", PictureLimits.MaxWaitingBytes, out _));
        Assert.Null(_board.Add("small", "small.jpg", 1, out _));
        _board.Update("large", Finish);
        Assert.NotNull(_board.Add("small", "small.jpg", 1, out _));
    }

    [Fact]
    public void Update_FinishedPicture_ChangesNothing()
    {
        _board.Add("a", "a.jpg", 1, out _);
        _board.Update("a", Finish);
        _board.Update("a", picture => picture with { State = PictureState.Running });
        Assert.Equal(PictureState.Done, _board.Find("a")!.State);
    }

    [Fact]
    public async Task Watch_ChangesAndRemovals_ReturnsWhatIsNew()
    {
        _board.Add("a", "a.jpg", 1, out _);
        _board.Add("b", "b.jpg", 1, out _);
        await using var changes = _board.WatchAsync(TestContext.Current.CancellationToken).GetAsyncEnumerator(TestContext.Current.CancellationToken);
        Assert.Equal((true, "a b"), await NextAsync());

        _board.Update("b", Finish);
        _board.Add("c", "c.jpg", 1, out _);
        Assert.Equal((false, "b c"), await NextAsync());

        _board.Remove(picture => picture.IsFinished);
        Assert.Equal((true, "a c"), await NextAsync());

        _board.Update("a", picture => picture);
        var next = NextAsync();
        Assert.False(next.IsCompleted);
        _board.Update("a", Finish);
        Assert.Equal((false, "a"), await next);

        async Task<(bool IsComplete, string Ids)> NextAsync()
        {
            Assert.True(await changes.MoveNextAsync());
            return (changes.Current.IsComplete, string.Join(' ', changes.Current.Pictures.Select(picture => picture.Id)));
        }
    }

    private static Picture Finish(Picture picture) => picture with { State = PictureState.Done };

    private void Fill()
    {
        for (var i = 0; i < PictureLimits.MaxPictures; i++)
        {
            Assert.NotNull(_board.Add($"{i}", $"{i}.jpg", 1, out _));
        }
    }
}
