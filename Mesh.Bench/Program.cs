using System.CommandLine;
using Mesh.Bench.Load;
using Mesh.Bench.Simulate;

var root = new RootCommand("Measures a running mesh server, and simulates whole meshes.") { LoadCommand.Create(), SimulateCommand.Create() };
return await root.Parse(args).InvokeAsync();
