// Two servers, each with its own queue and workers, that are peers of each other:
//
//   workers-a (2) ── server-a ══ server-b ── workers-b (4)
//                        └── redis ──┘
//
// server-a receives waves of tasks that exceed the capacity of two workers, so it borrows workers from server-b until the wave is done.
ConfigurationErrors.ExitWithMessage();
var builder = DistributedApplication.CreateBuilder(args);
builder.UseFreePorts();
builder.KeepRunKeys();

var token = builder.AddParameter("mesh-token", new GenerateParameterDefault { MinLength = 32, Special = false }, secret: true)
    .WithDescription("The shared secret of servers, workers and clients. The maps and the HTTP API require it.");
var redis = builder.AddMeshRedis("redis"); // a container, or Garnet where no container runtime is running

var a = Server("server-a");
var b = Server("server-b");
Peer(a, b);
Peer(b, a);
var workersOfA = Workers("workers-a", a, replicas: 2);
var workersOfB = Workers("workers-b", b, replicas: 4);

if (builder.ExecutionContext.IsRunMode)
{
    builder.AddConsoleLogForwarder();
    builder.StopServersBeforeRedis();
    AddDashboardLinks(a, b);
    AddSimulatedWork(workersOfA, workersOfB);
    AddDemoProducer(a, tasks: "200", period: "00:00:40");
}

builder.Build().Run();

IResourceBuilder<ProjectResource> Server(string name)
{
    // Peers and workers are configured with the server's own port, so Aspire must not put a proxy in front of it.
    var server = builder.AddProject<Projects.Mesh_Server>(name, launchProfileName: null).RunBuiltProgram()
        .WithHttpEndpoint(isProxied: false).WithHttpHealthCheck("/health")
        .WithUrlForEndpoint("http", url => url.DisplayText = "Map")
        .WithUrlForEndpoint("http", _ => new ResourceUrlAnnotation { Url = "/openapi/v1.json", DisplayText = "API" })
        .WithIconName("Server")
        .WithReference(redis).WaitFor(redis)
        .WithEnvironment("Mesh__ServerId", name)
        .WithEnvironment("Mesh__Token", token)
        .WithMeshCommands(token);
    return server.WithEnvironment("Mesh__Advertise", server.GetEndpoint("http").Property(EndpointProperty.HostAndPort));
}

void Peer(IResourceBuilder<ProjectResource> server, IResourceBuilder<ProjectResource> peer) => server
    .WithRelationship(peer.Resource, "Peer")
    .WithEnvironment("Mesh__Peers__0__Id", peer.Resource.Name)
    .WithEnvironment("Mesh__Peers__0__Endpoint", peer.GetEndpoint("http").Property(EndpointProperty.HostAndPort));

IResourceBuilder<ProjectResource> Workers(string name, IResourceBuilder<ProjectResource> home, int replicas) => builder
    .AddProject<Projects.Mesh_Worker>(name, launchProfileName: null).RunBuiltProgram().WithReplicas(replicas)
    .WithIconName("PeopleTeam")
    .WithReference(redis).WithReference(home).WaitFor(home)
    .WithRelationship(home.Resource, "Home")
    .WithEnvironment("Mesh__HomeServer__Id", home.Resource.Name)
    .WithEnvironment("Mesh__HomeServer__Endpoint", home.GetEndpoint("http").Property(EndpointProperty.HostAndPort))
    .WithEnvironment("Mesh__Token", token);

// Adds links from the maps to the traces. A short heartbeat interval makes the loss of a peer visible soon.
void AddDashboardLinks(params IResourceBuilder<ProjectResource>[] servers)
{
    foreach (var server in servers)
    {
        server.WithDashboardLinks().WithEnvironment("Mesh__Timing__HeartbeatInterval", "00:00:05");
    }
}

// Makes each task take 150 ms, so that a wave exceeds the capacity of two workers.
void AddSimulatedWork(params IResourceBuilder<ProjectResource>[] workers)
{
    foreach (var one in workers)
    {
        one.WithEnvironment("Mesh__WorkTime", "00:00:00.150");
    }
}

void AddDemoProducer(IResourceBuilder<ProjectResource> server, string tasks, string period) => server
    .WithEnvironment("Mesh__Producer__Enabled", "true")
    .WithEnvironment("Mesh__Producer__Burst", tasks)
    .WithEnvironment("Mesh__Producer__Period", period);
