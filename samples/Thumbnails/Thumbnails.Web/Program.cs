using System.Text.Json;
using System.Text.Json.Serialization;
using Thumbnails.Web;

var builder = WebApplication.CreateBuilder(args);
builder.AddServiceDefaults();
builder.AddMeshClient("server-a");
builder.WebHost.ConfigureKestrel(server => server.Limits.MaxRequestBodySize = PictureLimits.MaxFileBytes);
builder.Services.ConfigureHttpJsonOptions(json => json.SerializerOptions.Converters.Add(new JsonStringEnumConverter(JsonNamingPolicy.CamelCase)));
builder.Services.AddProblemDetails();
builder.Services.AddSingleton(TimeProvider.System);
builder.Services.AddSingleton<PictureBoard>();
builder.Services.AddSingleton<PictureFiles>();
builder.Services.AddSingleton<PictureUploads>();
builder.Services.AddHostedService<PictureTracker>();

var app = builder.Build();
app.UseExceptionHandler();
app.UsePageSecurity();
app.UseDefaultFiles();
app.UseStaticFiles();
app.MapDefaultEndpoints();
app.MapPictures();
app.Run();
