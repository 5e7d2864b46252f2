namespace Mesh.Server.Api;

/// <summary>What is wrong with a request.</summary>
/// <param name="Field">Its place in the body.</param>
/// <param name="Detail">The rest of the sentence.</param>
internal readonly record struct BodyFault(string Field, string Detail);
