using Mesh.Accounts;
using Mesh.Tests.Accounts;
using Mesh.Tests.Fixtures;

namespace Mesh.Tests.Server.Storage;

/// <summary>The store on Garnet, also where another Redis is installed.</summary>
[Trait("Speed", "Slow")]
public sealed class GarnetMeshStoreTests(GarnetFixture garnet) : MeshStoreContract(new RedisBackend(garnet));

[Trait("Speed", "Slow")]
public sealed class GarnetFollowUpStoreTests(GarnetFixture garnet) : FollowUpStoreContract(new RedisBackend(garnet));

[Trait("Speed", "Slow")]
public sealed class GarnetDeadLetterStoreTests(GarnetFixture garnet) : DeadLetterStoreContract(new RedisBackend(garnet));

[Trait("Speed", "Slow")]
public sealed class GarnetScheduleStoreTests(GarnetFixture garnet) : ScheduleStoreContract(new RedisBackend(garnet));

[Trait("Speed", "Slow")]
public sealed class GarnetStoreLeaseTests(GarnetFixture garnet) : StoreServerLeaseContract(new RedisBackend(garnet));

/// <summary>The ledger on Garnet.</summary>
[Trait("Speed", "Slow")]
public sealed class GarnetLedgerTests(GarnetFixture garnet) : LedgerContract
{
    protected override async Task<ILedger> CreateAsync() => new RedisLedger(await garnet.Isolated());
}

/// <summary>The store on Valkey. Skipped where Valkey is not installed.</summary>
[Trait("Speed", "Slow")]
public sealed class ValkeyMeshStoreTests(ValkeyFixture valkey) : MeshStoreContract(new RedisBackend(valkey, RedisKind.Valkey));

[Trait("Speed", "Slow")]
public sealed class ValkeyFollowUpStoreTests(ValkeyFixture valkey) : FollowUpStoreContract(new RedisBackend(valkey, RedisKind.Valkey));

[Trait("Speed", "Slow")]
public sealed class ValkeyDeadLetterStoreTests(ValkeyFixture valkey) : DeadLetterStoreContract(new RedisBackend(valkey, RedisKind.Valkey));

[Trait("Speed", "Slow")]
public sealed class ValkeyScheduleStoreTests(ValkeyFixture valkey) : ScheduleStoreContract(new RedisBackend(valkey, RedisKind.Valkey));

[Trait("Speed", "Slow")]
public sealed class ValkeyStoreLeaseTests(ValkeyFixture valkey) : StoreServerLeaseContract(new RedisBackend(valkey, RedisKind.Valkey));

/// <summary>The ledger on Valkey. Skipped where Valkey is not installed.</summary>
[Trait("Speed", "Slow")]
public sealed class ValkeyLedgerTests(ValkeyFixture valkey) : LedgerContract
{
    protected override async Task<ILedger> CreateAsync()
    {
        RedisProcess.SkipUnlessThere(RedisKind.Valkey);
        return new RedisLedger(await valkey.Isolated());
    }
}
