using Mesh.Server.Hosting;

var builder = WebApplication.CreateBuilder(args);
builder.AddServiceDefaults();
builder.AddMeshRedis();
builder.AddMeshServer();
return await builder.RunServerAsync(app =>
{
    app.MapDefaultEndpoints();
    app.UseMeshServer();
});
