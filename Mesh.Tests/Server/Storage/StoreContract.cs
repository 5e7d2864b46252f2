using Mesh.Server.Core.Persistence;
using Mesh.Server.Core.Tasks;
using Mesh.Server.Storage;
using static Mesh.Tests.Server.Storage.StoreOperations;

namespace Mesh.Tests.Server.Storage;

/// <summary>Base of the tests that each <see cref="IMeshStore"/> passes.</summary>
public abstract class StoreContract
{
    private protected StoreContract(IStoreBackend place) => Place = place;

    private protected IStoreBackend Place { get; }

    /// <summary>Creates an empty store whose server holds its lease.</summary>
    private protected async Task<IMeshStore> ServingAsync()
    {
        var store = (await Place.CreateAsync())("server-a");
        await AcquireLeaseAsync(store, Self, "self");
        return store;
    }

    /// <summary>Returns the changes that make a new task a dead letter.</summary>
    private protected static StoreOp[] DeadLetter(TaskRecord task) =>
        [StoreOp.Of(StoreOpKind.AcceptTask, task), StoreOp.Of(StoreOpKind.MoveTaskToDeadLetters, task with { State = TaskState.Dead })];
}
