using System.Buffers;
using BenchmarkDotNet.Attributes;
using Mesh.Protocol;

namespace Mesh.Bench.Compare.Micro;

/// <summary>Writes one message to a buffer that is used again.</summary>
public class MessageWriterBenchmarks
{
    private readonly ArrayBufferWriter<byte> _bytes = new(4_096);
    private MeshMessage _message = new Ack();

    [ParamsSource(nameof(Names))]
    public string Message { get; set; } = "";

    public static IEnumerable<string> Names => SampleMessages.Names;

    [GlobalSetup]
    public void Setup() => _message = SampleMessages.Create(Message);

    [Benchmark]
    public int Write()
    {
        _bytes.ResetWrittenCount();
        MessageWriter.Write(_bytes, _message);
        return _bytes.WrittenCount;
    }
}
