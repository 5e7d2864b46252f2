namespace Mesh.Server.Hosting.Options;

/// <summary>Finds the faults of the configured tokens. The messages do not contain the tokens.</summary>
internal static class TokensValidator
{
    public static IEnumerable<string> Check(MeshOptions options)
    {
        if (options.Token is { } token && string.IsNullOrWhiteSpace(token))
        {
            yield return "Mesh__Token must not be blank; leave it unset to serve without a token";
        }
        else if (Check("Mesh__Token", options.Token) is { } fault)
        {
            yield return fault;
        }

        if (Check("Mesh__PeerToken", options.PeerToken) is { } peer)
        {
            yield return peer;
        }

        var tokens = options.AcceptedTokens;
        foreach (var (kind, list) in new[] { ("All", tokens.All), ("Clients", tokens.Clients), ("Workers", tokens.Workers), ("Peers", tokens.Peers) })
        {
            for (var i = 0; i < list.Count; i++)
            {
                if (Check($"Mesh__AcceptedTokens__{kind}__{i}", list[i] ?? "") is { } wrong)
                {
                    yield return wrong;
                }
            }
        }
    }

    private static string? Check(string option, string? token) => token is not null && (token.Length == 0 || token.AsSpan().ContainsAnyExceptInRange('!', '~'))
        ? $"{option} must consist of visible ASCII characters without spaces, because it is sent in a header"
        : null;
}
