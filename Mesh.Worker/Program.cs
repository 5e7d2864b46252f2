using Mesh.Accounts;
using Mesh.Configuration;
using Mesh.Worker;

var builder = Host.CreateApplicationBuilder(args);
builder.AddServiceDefaults();
builder.AddRedisClient("redis", configureOptions: options => options.FollowFailOver());
builder.Services.AddMeshWorker();
return await ServiceRun.RunAsync(builder.Build);
