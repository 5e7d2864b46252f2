using System.CommandLine;
using System.CommandLine.Parsing;

namespace Mesh.Bench.CommandLine;

/// <summary>The options that select the measured server.</summary>
internal sealed class ServerOptions
{
    public Option<Uri> Url { get; } = new("--url")
    {
        Description = "The server's address.",
        DefaultValueFactory = _ => new Uri("http://127.0.0.1:9001"),
        CustomParser = ReadUrl,
    };

    public Option<string?> Token { get; } = new("--token") { Description = "The server's Mesh__Token.", CustomParser = ReadToken };

    public MeasuredServer Read(ParseResult parsed) => new(parsed.GetValue(Url)!, parsed.GetValue(Token));

    private static Uri? ReadUrl(ArgumentResult result)
    {
        if (Uri.TryCreate(result.Tokens[0].Value, UriKind.Absolute, out var url) && (url.Scheme == Uri.UriSchemeHttp || url.Scheme == Uri.UriSchemeHttps))
        {
            return url;
        }

        result.AddError("--url must be such as http://127.0.0.1:9001.");
        return null;
    }

    private static string? ReadToken(ArgumentResult result)
    {
        var token = result.Tokens[0].Value;
        if (token.Length > 0 && token.All(letter => letter is > ' ' and <= '~'))
        {
            return token;
        }

        result.AddError("--token must be of visible ASCII characters, without spaces: it travels in a header.");
        return null;
    }
}
