using System.CommandLine;
using Mesh.Bench.Load;

var root = new RootCommand("Measures a mesh server.") { LoadCommand.Create() };
return await root.Parse(args).InvokeAsync();
