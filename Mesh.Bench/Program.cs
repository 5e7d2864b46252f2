using System.CommandLine;
using Mesh.Bench.Chaos;
using Mesh.Bench.Fuzz;
using Mesh.Bench.Idle;
using Mesh.Bench.Load;
using Mesh.Bench.Simulate;

var root = new RootCommand("Measures a running mesh server, feeds one with bad input, simulates whole meshes, and harms real ones.")
{
    LoadCommand.Create(), IdleCommand.Create(), FuzzCommand.Create(), SimulateCommand.Create(), ChaosCommand.Create(),
};
return await root.Parse(args).InvokeAsync();
