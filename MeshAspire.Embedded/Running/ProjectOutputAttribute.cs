namespace MeshAspire.Embedded;

/// <summary>On a generated class of <c>Projects</c>: the assembly that the project was built into, relative to the program that runs unless rooted.</summary>
[AttributeUsage(AttributeTargets.Class)]
public sealed class ProjectOutputAttribute(string path) : Attribute
{
    public string Path => path;
}
