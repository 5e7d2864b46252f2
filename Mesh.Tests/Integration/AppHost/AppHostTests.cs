namespace Mesh.Tests.Integration.AppHost;

/// <summary>As <c>dotnet run</c> starts it here.</summary>
public sealed class AppHostTests(DefaultMeshApp mesh) : AppHostContract(mesh), IClassFixture<DefaultMeshApp>;

/// <summary>As it is on a machine that has nothing but the SDK.</summary>
public sealed class GarnetAppHostTests(GarnetMeshApp mesh) : AppHostContract(mesh), IClassFixture<GarnetMeshApp>;
