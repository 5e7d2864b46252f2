using Mesh.Bench.Compare;
using Mesh.Bench.Compare.Generators;
using Mesh.Bench.Compare.Running;

return args is [GeneratorProcess.GenerateCommand, ..] ? await GeneratorRun.RunAsync(args[1..]) : await CompareProgram.RunAsync(args);
