using System.CommandLine;
using Mesh.Bench.Chaos;
using Mesh.Bench.Load;
using Mesh.Bench.Simulate;

var root = new RootCommand("Measures a running mesh server, simulates whole meshes, and harms real ones.") { LoadCommand.Create(), SimulateCommand.Create(), ChaosCommand.Create() };
return await root.Parse(args).InvokeAsync();
