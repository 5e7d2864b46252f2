using System.Security.Cryptography;
using Mesh.Common;
using Mesh.Server.Hosting.Options;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Primitives;

namespace Mesh.Server.Access;

/// <summary>
/// The tokens that this server accepts and the token that it presents to peers. They are read again when the configuration changes, so that a token is replaced without a restart.
/// All members are thread-safe.
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

    /// <summary>Occurs after tokens were added or removed.</summary>
    public event Action? Changed;

    /// <summary>True when no token is configured and all requests are served.</summary>
    public bool AllowsAnonymous => _tokens.Grants.Length == 0;

    /// <summary>The token that this server presents to its peers.</summary>
    public string? ForPeers => _tokens.ForPeers;

    /// <summary>Returns the grant of a token, or null when the token is not accepted.</summary>
    public TokenGrant? Find(string token) => _tokens.Find(TokenGrant.HashOf(token));

    /// <summary>Returns false once the token was removed or its roles were changed.</summary>
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
            faults.Add("adding the first token and removing the last one need a restart");
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

            // A token that is configured under several kinds has the roles of all of them.
            return new(
                options.PeerToken ?? options.Token,
                [.. given.GroupBy(one => one.Token, (token, kinds) => new TokenGrant(token, kinds.Aggregate(TokenRoles.None, (roles, one) => roles | one.Roles)))]);
        }

        private static IEnumerable<(string Token, TokenRoles Roles)> Of(IEnumerable<string> tokens, TokenRoles roles) => tokens.Select(token => (token, roles));

        // All hashes are compared, each in constant time, so that the duration does not depend on the token.
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

    [LoggerMessage(2411, LogLevel.Information, "The tokens have changed: {Count} are accepted. Connections with other tokens are closed.")]
    private partial void LogChanged(int count);

    [LoggerMessage(2412, LogLevel.Warning, "The changed tokens are not valid ({Faults}). The previous tokens stay accepted.")]
    private partial void LogKept(string faults);
}
