using BenchmarkDotNet.Attributes;
using Mesh.Protocol;

namespace Mesh.Bench.Compare.Micro;

/// <summary>Reads one message.</summary>
public class MessageReaderBenchmarks
{
    private byte[] _bytes = [];

    [ParamsSource(nameof(Names))]
    public string Message { get; set; } = "";

    public static IEnumerable<string> Names => SampleMessages.Names;

    [GlobalSetup]
    public void Setup() => _bytes = SampleMessages.Write(Message);

    [Benchmark]
    public bool Read() => MessageReader.TryRead(_bytes, out _, out _);
}
