var builder = WebApplication.CreateBuilder(args);
builder.AddServiceDefaults();
await builder.Build().RunAsync();
