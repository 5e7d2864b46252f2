// Two servers, each with its own queue and workers, that are peers of each other:
//
//   workers-a (2) ── server-a ══ server-b ── workers-b (4)
//                        └── redis ──┘
//
// server-a receives waves of tasks that exceed the capacity of two workers, so it borrows workers from server-b until the wave is done.
var builder = DistributedApplication.CreateBuilder(args).AddMeshDefaults();

var token = builder.AddMeshToken();
var redis = builder.AddMeshRedis("redis"); // a container, or Garnet where no container runtime is running

var a = builder.AddMeshServer<Projects.Mesh_Server>("server-a", redis, token).WithSubmitWaveCommand();
var b = builder.AddMeshServer<Projects.Mesh_Server>("server-b", redis, token).WithSubmitWaveCommand();
a.WithPeer(b);
var workersOfA = builder.AddMeshWorkers<Projects.Mesh_Worker>("workers-a", a, replicas: 2, redis);
var workersOfB = builder.AddMeshWorkers<Projects.Mesh_Worker>("workers-b", b, replicas: 4, redis);

if (builder.ExecutionContext.IsRunMode)
{
    // Each task takes 150 ms, so a wave exceeds the capacity of two workers.
    workersOfA.WithEnvironment("Mesh__WorkTime", "00:00:00.150");
    workersOfB.WithEnvironment("Mesh__WorkTime", "00:00:00.150");
    a.WithEnvironment("Mesh__Producer__Enabled", "true")
        .WithEnvironment("Mesh__Producer__Burst", "200")
        .WithEnvironment("Mesh__Producer__Period", "00:00:40");
}

builder.Build().Run();
