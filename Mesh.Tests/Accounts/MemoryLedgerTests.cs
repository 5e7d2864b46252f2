using Mesh.Accounts;

namespace Mesh.Tests.Accounts;

public sealed class MemoryLedgerTests : LedgerContract
{
    protected override Task<ILedger> CreateAsync() => Task.FromResult<ILedger>(new MemoryLedger());
}
