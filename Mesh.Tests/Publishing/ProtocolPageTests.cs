using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using System.Text.RegularExpressions;
using Mesh.Protocol;
using Mesh.Tests.Server;
using Wire = Mesh.Tests.Protocol.Wire;

namespace Mesh.Tests.Publishing;

/// <summary>The JSON that the documentation shows is the JSON that nodes read and write.</summary>
public sealed partial class ProtocolPageTests
{
    private static readonly Dictionary<string, string> Placeholders = new()
    {
        ["w"] = "\"w1\"",
        ["s"] = "\"server-b\"",
        ["u"] = "\"maria\"",
        ["h"] = "\"10.0.0.1\"",
        ["p"] = "9001",
        ["n"] = "12.5",
    };

    public static TheoryData<string> Examples
    {
        get
        {
            var text = File.ReadAllText(BuildOutput.Source("docs/protocol.md"));
            var tables = text[text.IndexOf("## Messages", StringComparison.Ordinal)..text.IndexOf("### Optional fields", StringComparison.Ordinal)];
            return [.. Example().Matches(tables).Select(match => match.Groups[1].Value)];
        }
    }

    [Theory]
    [MemberData(nameof(Examples))]
    public void Example_OfAMessageTable_IsReadAndWrittenInTheSameBytes(string example)
    {
        var json = Placeholder().Replace(example.Replace(", …]", "]", StringComparison.Ordinal), match => match.Groups[1].Value + Placeholders[match.Groups[2].Value]);

        Assert.Equal(json, Wire.Write(Wire.Read(json)));
    }

    [Fact]
    public void Examples_OfTheMessageTables_CoverEachMessage()
    {
        var messages = Examples.Select(row => Placeholder().Replace(row.Data.Replace(", …]", "]", StringComparison.Ordinal), match => match.Groups[1].Value + Placeholders[match.Groups[2].Value]))
            .Select(json => Wire.Read(json).GetType()).ToHashSet();

        // A rejection is described in "Bad input".
        Assert.Empty(typeof(MeshMessage).Assembly.GetTypes().Where(type => type.IsSubclassOf(typeof(MeshMessage)) && !type.IsAbstract).Except(messages).Except([typeof(Rejection)]));
    }

    [Fact]
    public async Task SupervisorReport_OfAServer_HasTheFieldsOfTheManual()
    {
        using var supervisor = new TcpListener(IPAddress.Loopback, 0);
        supervisor.Start();
        await using var server = await TestServer.StartAsync(
            ("Mesh:Supervisor:Endpoint", $"{supervisor.LocalEndpoint}"), ("Mesh:Supervisor:Interval", "00:00:00.1"), ("Mesh:Peers:0:Id", "server-b"), ("Mesh:Peers:0:Endpoint", "127.0.0.1:1"));
        using var connection = await supervisor.AcceptTcpClientAsync(TestContext.Current.CancellationToken);
        using var reader = new StreamReader(connection.GetStream());
        var report = await reader.ReadToEndAsync(TestContext.Current.CancellationToken);

        var page = await File.ReadAllTextAsync(BuildOutput.Source("docs/operations.md"), TestContext.Current.CancellationToken);
        var example = page[page.IndexOf("### Reports to a supervisor", StringComparison.Ordinal)..].Split("```json\n")[1].Split("```")[0];
        Assert.Equal(Names(JsonDocument.Parse(example).RootElement, ""), Names(JsonDocument.Parse(report).RootElement, ""));
    }

    /// <summary>The path of each field, in order. A disk that the machine does not report has no fields.</summary>
    private static IEnumerable<string> Names(JsonElement element, string path) => element.ValueKind switch
    {
        JsonValueKind.Object => element.EnumerateObject().SelectMany(field => Names(field.Value, $"{path}/{field.Name}").Prepend($"{path}/{field.Name}")),
        JsonValueKind.Array => element.EnumerateArray().Take(1).SelectMany(one => Names(one, path)),
        _ => [],
    };

    [GeneratedRegex("`(\\{[^`]+\\})`")]
    private static partial Regex Example();

    [GeneratedRegex(@"([:\[] ?)([wsuhpn])(?=[,}\]])")]
    private static partial Regex Placeholder();
}
