using Mesh.Configuration;
using Mesh.Server.Hosting;

var builder = WebApplication.CreateBuilder(args);
builder.AddServiceDefaults();
builder.AddMeshRedis();
builder.AddMeshServer();
return await ServiceRun.RunAsync(builder.Build, app =>
{
    app.MapDefaultEndpoints();
    app.UseMeshServer();
});
