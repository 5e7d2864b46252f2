using System.Text;

namespace Mesh.Fuzz;

/// <summary>Runs one connection of a line peer, which sends one to three good or bad lines and closes its side.</summary>
internal static class LineCase
{
    public static async Task RunAsync(FuzzServer server, Random random, ResponseCounter tally, CancellationToken limit)
    {
        var inputs = Enumerable.Range(0, random.Next(1, 4)).Select(_ => Mutator.Draw(random)).ToArray();
        var said = new MemoryStream();
        if (random.Next(10) == 0)
        {
            said.Write(" \r\n\t"u8);
        }

        foreach (var (bytes, _) in inputs)
        {
            said.Write(bytes);
            said.Write(random.Next(5) == 0 ? "\r\n"u8 : "\n"u8);
        }

        var whole = random.Next(10) > 0;
        if (!whole)
        {
            said.SetLength(said.Length - random.Next((int)Math.Min(20, said.Length)));
        }

        var link = new InMemoryConnection();
        var serving = server.ServeConnectionAsync(link.ServerEnd);
        var heard = await link.SendAndReadToEndAsync(said.ToArray(), limit);
        await serving.WaitAsync(limit);

        if (said.Length > 0 && said.GetBuffer()[0] == (byte)'*')
        {
            // The server takes this connection for one of a Redis client and answers in that protocol.
            FuzzAssertionException.ThrowIf(!heard.AsSpan().StartsWith("-ERR "u8), "a Redis client is not answered with -ERR");
            return;
        }

        var lines = Encoding.UTF8.GetString(heard).Split('\n', StringSplitOptions.RemoveEmptyEntries);
        var errors = lines.Count(line => ResponseChecker.Check(Encoding.UTF8.GetBytes(line), tally));

        // The expected field of the first message is known only when the input was not cut short.
        if (inputs[0].Fault is { } fault && whole)
        {
            FuzzAssertionException.ThrowIf(errors == 0, $"no error names {fault}");
            ResponseChecker.CheckNamesField(lines[0], fault);
        }
    }
}
