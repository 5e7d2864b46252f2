using Mesh.Bench.CommandLine;

return await BenchCommand.RunAsync(args, Console.Out, Console.Error);
