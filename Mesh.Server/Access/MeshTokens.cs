using System.Security.Cryptography;
using Mesh.Configuration;
using Mesh.Server.Hosting.Options;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Primitives;

namespace Mesh.Server.Access;

/// <summary>
/// The tokens that this server accepts and the one that it presents to peers. Read again when the configuration changes: a token is replaced without a restart. Safe from any thread.
/// </summary>
internal sealed partial class MeshTokens : IDisposable
{
    private readonly IConfiguration _configuration;
    private readonly ILogger _logger;
    private readonly IDisposable _changes;
    private volatile TokenSet _tokens;

    public MeshTokens(IConfiguration configuration, IOptions<MeshOptions> options, ILogger<MeshTokens> logger)
    {
        (_configuration, _logger, _tokens) = (configuration, logger, TokenSet.From(options.Value));
        _changes = ChangeToken.OnChange(configuration.GetReloadToken, Reload);
    }

    /// <summary>Tokens were added or removed.</summary>
    public event Action? Changed;

    /// <summary>True when there is no token and all are served.</summary>
    public bool AllowsAnonymous => _tokens.Grants.Length == 0;

    /// <summary>What this server presents to its peers.</summary>
    public string? ForPeers => _tokens.ForPeers;

    /// <summary>What the token permits; null when it is none that is known.</summary>
    public TokenGrant? Find(string token) => _tokens.Find(TokenGrant.HashOf(token));

    /// <summary>False once the token was removed, or its roles were changed.</summary>
    public bool IsValid(TokenGrant grant) => grant == TokenGrant.Anonymous || _tokens.Find(grant.Hash)?.Roles == grant.Roles;

    public void Dispose() => _changes.Dispose();

    private void Reload()
    {
        var options = new MeshOptions();
        SettingsBinder.Bind(_configuration.GetSection(MeshOptions.Section), options, options.Unreadable, options.Unknown);
        var faults = TokensValidator.Check(options).ToList();
        var next = TokenSet.From(options);
        if (AllowsAnonymous != (next.Grants.Length == 0))
        {
            faults.Add("the first token, and the last one's end, need a restart");
        }

        if (faults.Count > 0)
        {
            LogKept(string.Join("; ", faults));
            return;
        }

        if (!next.Equals(_tokens))
        {
            _tokens = next;
            LogChanged(next.Grants.Length);
            Changed?.Invoke();
        }
    }

    private sealed class TokenSet(string? forPeers, TokenGrant[] grants) : IEquatable<TokenSet>
    {
        public string? ForPeers => forPeers;

        public TokenGrant[] Grants => grants;

        public static TokenSet From(MeshOptions options)
        {
            var tokens = options.AcceptedTokens;
            var given = Of(tokens.All, TokenRoles.All).Concat(Of(tokens.Clients, TokenRoles.Client)).Concat(Of(tokens.Workers, TokenRoles.Worker)).Concat(Of(tokens.Peers, TokenRoles.Peer));
            if (options.Token is { } own)
            {
                given = given.Append((own, TokenRoles.All));
            }

            // One token under several kinds may do what they all may.
            return new(
                options.PeerToken ?? options.Token,
                [.. given.GroupBy(one => one.Token, (token, kinds) => new TokenGrant(token, kinds.Aggregate(TokenRoles.None, (roles, one) => roles | one.Roles)))]);
        }

        private static IEnumerable<(string Token, TokenRoles Roles)> Of(IEnumerable<string> tokens, TokenRoles roles) => tokens.Select(token => (token, roles));

        // Hashes have one length and nothing in common, and all are looked at, so that the time taken tells nothing of the tokens.
        public TokenGrant? Find(ReadOnlySpan<byte> hash)
        {
            TokenGrant? found = null;
            foreach (var grant in grants)
            {
                found = CryptographicOperations.FixedTimeEquals(hash, grant.Hash) ? grant : found;
            }

            return found;
        }

        public bool Equals(TokenSet? other) =>
            other is not null && other.ForPeers == forPeers && other.Grants.Length == grants.Length && grants.All(grant => other.Find(grant.Hash)?.Roles == grant.Roles);

        public override bool Equals(object? obj) => Equals(obj as TokenSet);

        public override int GetHashCode() => grants.Length;
    }

    [LoggerMessage(2411, LogLevel.Information, "The tokens have changed: {Count} are accepted. Connections whose token is not among them are closed.")]
    private partial void LogChanged(int count);

    [LoggerMessage(2412, LogLevel.Warning, "The tokens have changed, but cannot be taken ({Faults}). Those from before stay.")]
    private partial void LogKept(string faults);
}
