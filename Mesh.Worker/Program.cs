using Mesh.Accounts;
using Mesh.Common;
using Mesh.Worker;
using MeshAspire.ServiceDefaults;

return await ServiceRunner.RunAsync(() =>
{
    var builder = Host.CreateApplicationBuilder(args);
    builder.AddSecretsDirectory();
    builder.AddServiceDefaults();
    builder.AddRedisClient("redis", configureOptions: options => options.EnableFailoverDetection());
    builder.AddMeshWorker().AddAccountHandlers();
    return builder.Build();
});
