using Mesh.Protocol;
using Mesh.Server.Core.Tasks;
using Mesh.Server.Storage;

namespace Mesh.Tests.Server.Storage;

public sealed class DeadLetterPagesTests
{
    private static readonly ServerId Own = new("server-m");

    private readonly Dictionary<ServerId, List<TaskRecord>> _dead = new()
    {
        [Own] = [Dead("own-1", 1), Dead("own-2", 2)],
        [new("server-z")] = [Dead("z-1", 1), Dead("z-2", 2)],
        [new("server-a")] = [Dead("a-1", 1), Dead("a-2", 2)],
    };

    [Theory]
    [InlineData(1, "own-1 own-2 a-1 a-2 z-1 z-2")]
    [InlineData(4, "own-1 own-2 a-1 a-2 z-1 z-2")]
    public async Task Collect_PageByPage_ListsThisServerFirstThenTheOthersByName(int limit, string expected) =>
        Assert.Equal(expected, string.Join(' ', await ListAsync(limit, afterFirstPage: () => { })));

    [Theory]
    [InlineData("server-a", "own-1 own-2 a-1 z-1 z-2")]
    [InlineData("server-z", "own-1 own-2 a-1 a-2")]
    public async Task Collect_AnAdoptionEndsBetweenTwoPages_ListsTheOthersFurther(string ended, string expected) =>
        Assert.Equal(expected, string.Join(' ', await ListAsync(limit: 3, () => _dead.Remove(new(ended)))));

    private async Task<List<string>> ListAsync(int limit, Action afterFirstPage)
    {
        var ids = new List<string>();
        DeadLetterCursor? after = null;
        do
        {
            var page = await DeadLetterPages.CollectAsync(new(after, Type: null, limit), [.. _dead.Keys], (server, position) => Task.FromResult<IReadOnlyList<(DeadLetterCursor, TaskRecord?)>>(
                [.. _dead[server].Where(task => position is null || task.Sequence > position.Sequence).Select(task => (new DeadLetterCursor(server, task.Sequence, task.Id), (TaskRecord?)task))]));
            ids.AddRange(page.Tasks.Select(task => task.Id));
            if (after is null)
            {
                afterFirstPage();
            }

            after = page.Next;
        }
        while (after is not null);
        return ids;
    }

    private static TaskRecord Dead(string id, long sequence) => new(id, new TaskId(id), TaskType.Query, "maria", Amount: null, sequence);
}
