using Mesh.Worker;

var builder = Host.CreateApplicationBuilder(args);
builder.AddServiceDefaults();
builder.AddRedisClient("redis");
builder.Services.AddMeshWorker();
await builder.Build().RunAsync();
