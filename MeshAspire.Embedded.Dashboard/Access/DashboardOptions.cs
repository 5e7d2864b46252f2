namespace MeshAspire.Embedded.Dashboard.Access;

/// <summary>Settings, in the section <c>Dashboard</c>. All listeners are on the loopback interface.</summary>
internal sealed class DashboardOptions
{
    public const string Section = "Dashboard";

    /// <summary>The application's, shown in the header. Default: "Telemetry".</summary>
    public string ApplicationName { get; set; } = "Telemetry";

    /// <summary>Port of the pages. Default: 18888; 0 for any.</summary>
    public int Port { get; set; } = 18888;

    /// <summary>Port of OTLP by gRPC. Default: 4317; 0 for any.</summary>
    public int OtlpGrpcPort { get; set; } = 4317;

    /// <summary>Port of OTLP by HTTP. Default: 4318; 0 for any.</summary>
    public int OtlpHttpPort { get; set; } = 4318;

    /// <summary>Lets a person in. Default: generated, and printed.</summary>
    public string Token { get; set; } = "";

    /// <summary>Lets telemetry in, in the header <c>x-otlp-api-key</c>. Default: generated, and printed.</summary>
    public string OtlpKey { get; set; } = "";

    /// <summary>Whether an AppHost talks on standard input and output. Default: no.</summary>
    public bool Feed { get; set; }
}
