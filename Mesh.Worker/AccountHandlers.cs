using Mesh.Accounts;
using Mesh.Worker.Handlers;
using MeshAspire.Worker;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;
using StackExchange.Redis;

namespace Mesh.Worker;

/// <summary>Adds the handlers of the reference tasks, which query and update account balances.</summary>
internal static class AccountHandlers
{
    /// <summary>Adds the handlers of QUERY and UPDATE. Requires an <see cref="IConnectionMultiplexer"/>, or an <see cref="ILedger"/> that is registered before.</summary>
    public static MeshWorkerBuilder AddAccountHandlers(this MeshWorkerBuilder worker)
    {
        worker.Services.TryAddSingleton<ILedger>(services => new RedisLedger(() => services.GetRequiredService<IConnectionMultiplexer>().GetDatabase()));
        worker.Services.AddSingleton<LedgerRetryPolicy>();
        worker.Services.AddSingleton<QueryHandler>();
        worker.Services.AddSingleton<UpdateHandler>();
        worker.Services.AddSingleton<IValidateOptions<MeshWorkerSettings>, RedisSettingsValidator>();
        return worker
            .ConfigureJson(json => json.TypeInfoResolverChain.Insert(0, AccountJson.Default))
            .AddHandler<QueryHandler>("QUERY")
            .AddHandler<UpdateHandler>("UPDATE");
    }

    private sealed class RedisSettingsValidator(IConfiguration configuration) : IValidateOptions<MeshWorkerSettings>
    {
        public ValidateOptionsResult Validate(string? name, MeshWorkerSettings options) =>
            RedisConnectionString.Check(configuration.GetConnectionString("redis")) is { } fault ? ValidateOptionsResult.Fail($"ConnectionStrings__redis {fault}") : ValidateOptionsResult.Success;
    }
}
