using Mesh.Protocol;
using Mesh.Tests.Publishing;

namespace Mesh.Tests.Protocol;

/// <summary>
/// docs/operations.md, "Upgrades": the messages of version 1.0.0 are read, and what that version reads is written. The file messages-1.0.txt has each message with its optional
/// fields; lines are added to it for a new version, and never changed.
/// </summary>
public sealed class PreviousWireTests
{
    private static string[] Lines => File.ReadAllLines(BuildOutput.Source("Mesh.Tests/Protocol/messages-1.0.txt"));

    public static TheoryData<string> Recorded => [.. Lines];

    [Theory]
    [MemberData(nameof(Recorded))]
    public void Message_OfThePreviousVersion_IsReadAndWrittenInTheSameBytes(string line) => Assert.Equal(line, Wire.Write(Wire.Read(line)));

    [Fact]
    public void Messages_OfTheProtocol_AreAllRecorded()
    {
        var recorded = Lines.Select(line => Wire.Read(line).GetType()).ToHashSet();

        Assert.Empty(typeof(MeshMessage).Assembly.GetTypes().Where(type => type.IsSubclassOf(typeof(MeshMessage)) && !type.IsAbstract).Except(recorded));
    }
}
