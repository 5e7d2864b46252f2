using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Text;

namespace MeshAspire.Embedded.Redis;

/// <summary>Asks a Redis whether it takes commands.</summary>
internal static class RedisPing
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(3);

    /// <summary>Null when it answers PING; else what is wrong.</summary>
    public static async Task<string?> AskAsync(RedisAddress address, CancellationToken cancellationToken)
    {
        var where = $"{address.Host}:{address.Port}";
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(Patience);
        try
        {
            using var client = new TcpClient();
            await client.ConnectAsync(address.Host, address.Port, limit.Token);
            await using var stream = await StreamAsync(client, address, limit.Token);
            using var reader = new StreamReader(stream, Encoding.UTF8);
            if (address.Password is { } password)
            {
                string[] auth = address.User is { } user ? ["AUTH", user, password] : ["AUTH", password];
                if (await CommandAsync(stream, reader, auth, limit.Token) is not "+OK" and var refusal)
                {
                    return $"{where} refuses the password ({refusal})";
                }
            }

            var reply = await CommandAsync(stream, reader, ["PING"], limit.Token);
            return reply == "+PONG" ? null : $"{where} answers PING with {reply}";
        }
        catch (Exception exception) when (exception is SocketException or IOException or AuthenticationException)
        {
            return $"no Redis at {where}: {exception.Message}";
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return $"no Redis at {where}: no answer in {Patience.TotalSeconds} s";
        }
    }

    private static async Task<Stream> StreamAsync(TcpClient client, RedisAddress address, CancellationToken cancellationToken)
    {
        if (!address.Tls)
        {
            return client.GetStream();
        }

        var tls = new SslStream(client.GetStream());
        await tls.AuthenticateAsClientAsync(new SslClientAuthenticationOptions { TargetHost = address.Host }, cancellationToken);
        return tls;
    }

    private static async Task<string?> CommandAsync(Stream stream, StreamReader reader, string[] command, CancellationToken cancellationToken)
    {
        var text = new StringBuilder($"*{command.Length}\r\n");
        foreach (var word in command)
        {
            text.Append($"${Encoding.UTF8.GetByteCount(word)}\r\n{word}\r\n");
        }

        await stream.WriteAsync(Encoding.UTF8.GetBytes(text.ToString()), cancellationToken);
        return await reader.ReadLineAsync(cancellationToken);
    }
}
