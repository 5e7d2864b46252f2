using Thumbnails;
using Thumbnails.Worker;

var builder = Host.CreateApplicationBuilder(args);
builder.AddServiceDefaults();
// "web" is the web app's name in the AppHost. Service discovery finds its address.
builder.Services.AddHttpClient<PictureClient>(http => http.BaseAddress = new Uri("http://web"));
// A picture takes less than a second, so its progress is reported more often than by default.
builder.AddMeshWorker(configureSettings: settings => settings.RunningInterval = TimeSpan.FromMilliseconds(200))
    .AddHandler<ThumbnailHandler>(ThumbnailTask.Type);
builder.Build().Run();
