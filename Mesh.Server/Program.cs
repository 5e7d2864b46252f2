using Mesh.Common;
using Mesh.Server.Hosting;
using MeshAspire.ServiceDefaults;

return await ServiceRunner.RunAsync(
    () =>
    {
        var builder = WebApplication.CreateBuilder(args);
        builder.AddSecretsDirectory();
        builder.AddServiceDefaults();
        builder.AddMeshRedis();
        builder.AddMeshServer();
        return builder.Build();
    },
    app =>
    {
        app.MapDefaultEndpoints();
        app.UseMeshServer();
    });
