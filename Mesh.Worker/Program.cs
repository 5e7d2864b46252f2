using Mesh.Worker;
using StackExchange.Redis;

var builder = Host.CreateApplicationBuilder(args);
builder.AddServiceDefaults();
builder.Services.AddSingleton<IConnectionMultiplexer>(_ =>
    ConnectionMultiplexer.Connect(builder.Configuration.GetConnectionString("redis") + ",abortConnect=false"));
builder.Services.AddMeshWorker();
await builder.Build().RunAsync();
