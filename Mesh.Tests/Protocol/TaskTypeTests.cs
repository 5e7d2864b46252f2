using System.Text;
using CsCheck;
using Mesh.Protocol;

namespace Mesh.Tests.Protocol;

public sealed class TaskTypeTests
{
    private static readonly string Longest = new('x', TaskType.MaxLength);

    public static TheoryData<string> Valid => ["QUERY", "UPDATE", "query", "RESIZE", "a", "Z9", "img.resize_v2-b", "OK", "ALIVE", "NO_TASKS", "redirect", Longest];

    public static TheoryData<string> Invalid =>
        ["", " ", "1a", ".a", "_a", "-a", "a b", "a/b", "a\n", "a\0", "\u00e9", "a\u00e9", "\U0001F600", Longest + "x", "NO_TASK", "REDIRECT", "RETURN", "HEARTBEAT", "WORKER_REQUEST", "COMMAND_RELEASE"];

    [Theory]
    [MemberData(nameof(Valid))]
    public void Parse_ValidName_ReturnsTheType(string name)
    {
        for (var again = 0; again < 2; again++)
        {
            Assert.Equal(new TaskType(name), TaskType.Parse(name));
            Assert.Equal(new TaskType(name), TaskType.Parse(Encoding.UTF8.GetBytes(name)));
            Assert.Equal(name, $"{TaskType.Parse(name)}");
        }
    }

    [Theory]
    [MemberData(nameof(Invalid))]
    public void Parse_InvalidName_ReturnsNull(string name)
    {
        Assert.Null(TaskType.Parse(name));
        Assert.Null(TaskType.Parse(Encoding.UTF8.GetBytes(name)));
    }

    [Fact]
    public void Parse_MoreNamesThanAreKept_ReturnsEach()
    {
        for (var round = 0; round < 2; round++)
        {
            Assert.All(Enumerable.Range(0, 5000), i => Assert.Equal($"T{i}", TaskType.Parse($"T{i}")?.Name));
        }
    }

    [Fact]
    public void Of_RepeatedTypes_IsSortedAndEqualByContent()
    {
        var set = Set("b", "a", "B", "a");
        Assert.Equal([new("B"), new("a"), new("b")], set);
        Assert.Equal("B, a, b", $"{set}");
        Assert.Equal((3, new TaskType("a")), (set.Count, set[1]));
        Assert.Equal(Set("B", "b", "a"), set);
        Assert.Equal(Set("B", "b", "a").GetHashCode(), set.GetHashCode());
        Assert.NotEqual(Set("B", "b"), set);
        Assert.NotEqual(Set("B", "b", "c"), set);
        Assert.Same(TaskTypeSet.Empty, TaskTypeSet.Of());
        Assert.Equal(TaskTypeSet.QueryOnly, Set("QUERY"));
    }

    [Fact]
    public void Sets_AnyTypes_AreSetsOfThem() =>
        Gen.Select(Gen.Int[0, 20].Array[0, 12], Gen.Int[0, 20].Array[0, 12]).Sample((one, other) =>
        {
            var (a, b) = (Set([.. one.Select(i => $"T{i}")]), Set([.. other.Select(i => $"T{i}")]));
            Assert.All(Enumerable.Range(0, 21), i => Assert.Equal(one.Contains(i), a.Contains(new($"T{i}"))));
            Assert.Equal(one.Intersect(other).Any(), a.Overlaps(b));
            Assert.Equal(one.ToHashSet().SetEquals(other), a.Equals(b));
        });

    private static TaskTypeSet Set(params string[] names) => TaskTypeSet.Of(names.Select(name => new TaskType(name)));
}
