using MeshAspire.Embedded.Dashboard;
using MeshAspire.Embedded.Dashboard.Access;

var app = DashboardApplication.Build(args);
var options = app.Services.GetRequiredService<DashboardOptions>();
if (!options.Feed)
{
    Console.WriteLine($"Login to the dashboard at http://localhost:{options.Port}/login?t={options.Token}");
    Console.WriteLine($"OTLP: gRPC at http://localhost:{options.OtlpGrpcPort}, HTTP at http://localhost:{options.OtlpHttpPort}, with the header x-otlp-api-key={options.OtlpKey}");
}

await app.RunAsync();
