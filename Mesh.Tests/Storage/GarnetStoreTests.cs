using Mesh.Accounts;
using Mesh.Server.Storage;
using Mesh.Tests.Accounts;
using Mesh.Tests.Fixtures;

namespace Mesh.Tests.Storage;

/// <summary>The store on Garnet, whatever else there is.</summary>
public sealed class GarnetMeshStoreTests(GarnetFixture garnet) : MeshStoreContract
{
    private protected override Task<Func<string, IMeshStore>> CreateAsync() => RedisMeshStoreTests.StoresAsync(garnet);

    private protected override Task<LateWrites> CreateLateAsync() => RedisMeshStoreTests.LateAsync(garnet);
}

/// <summary>The ledger on Garnet.</summary>
public sealed class GarnetLedgerTests(GarnetFixture garnet) : LedgerContract
{
    protected override async Task<ILedger> CreateAsync() => new RedisLedger(await garnet.Isolated());
}

/// <summary>The store on Valkey, where there is one.</summary>
public sealed class ValkeyMeshStoreTests(ValkeyFixture valkey) : MeshStoreContract
{
    private protected override Task<Func<string, IMeshStore>> CreateAsync()
    {
        RedisProcess.SkipUnlessThere(RedisKind.Valkey);
        return RedisMeshStoreTests.StoresAsync(valkey);
    }

    private protected override Task<LateWrites> CreateLateAsync()
    {
        RedisProcess.SkipUnlessThere(RedisKind.Valkey);
        return RedisMeshStoreTests.LateAsync(valkey);
    }
}

/// <summary>The ledger on Valkey, where there is one.</summary>
public sealed class ValkeyLedgerTests(ValkeyFixture valkey) : LedgerContract
{
    protected override async Task<ILedger> CreateAsync()
    {
        RedisProcess.SkipUnlessThere(RedisKind.Valkey);
        return new RedisLedger(await valkey.Isolated());
    }
}
