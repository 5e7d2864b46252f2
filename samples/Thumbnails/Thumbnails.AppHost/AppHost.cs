// A web app that submits a task for each picture, and two farms of workers that make the thumbnails. server-a has one worker. When many pictures wait, it borrows from server-b:
//
//   web ── server-a ══ server-b ── workers-b (3)
//             └── workers-a (1)
var builder = DistributedApplication.CreateBuilder(args).AddMeshDefaults();

var token = builder.AddMeshToken();
var redis = builder.AddMeshRedis("redis"); // a container, or Garnet where no container runtime is running

var a = builder.AddMeshServer<Projects.Mesh_Server>("server-a", redis, token);
var b = builder.AddMeshServer<Projects.Mesh_Server>("server-b", redis, token).WithPeer(a);

var web = builder.AddProject<Projects.Thumbnails_Web>("web", launchProfileName: null).WithBuiltProgram()
    .WithMeshClient(a)
    .WithHttpEndpoint(isProxied: false).WithHttpHealthCheck("/health").WithAddressOnConsole();

var workersOfA = builder.AddMeshWorkers<Projects.Thumbnails_Worker>("workers-a", a).WithReference(web);
var workersOfB = builder.AddMeshWorkers<Projects.Thumbnails_Worker>("workers-b", b, replicas: 3).WithReference(web);

if (builder.ExecutionContext.IsRunMode)
{
    // Each picture takes half a second longer than it needs, so that 60 of them are too many for one worker.
    workersOfA.WithEnvironment("Mesh__WorkTime", "00:00:00.500");
    workersOfB.WithEnvironment("Mesh__WorkTime", "00:00:00.500");
}

builder.Build().Run();
