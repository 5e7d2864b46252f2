using Mesh.Protocol;
using Mesh.Server.Core.Tasks;

namespace Mesh.Bench.Compare.Micro;

/// <summary>Tasks with ids that no other task has.</summary>
internal static class SampleTasks
{
    public static TaskRecord[] Create(int count) =>
    [
        .. Enumerable.Range(0, count).Select(_ =>
        {
            var id = Guid.NewGuid().ToString("N");
            return new TaskRecord(id, new TaskId(id), TaskType.Query, "maria", null, 0);
        }),
    ];
}
