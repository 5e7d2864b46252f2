namespace Mesh.Server.Hosting.Options;

/// <summary>Mesh__AcceptedTokens: tokens that are accepted besides Mesh__Token, several at a time so that one can be replaced by another (docs/security.md, "The tokens").</summary>
internal sealed class AcceptedTokensOptions
{
    /// <summary>Their holders may do all that those of Mesh__Token may. Default: none.</summary>
    public List<string> All { get; set; } = [];

    /// <summary>Their holders may use the HTTP API and the map. Default: none.</summary>
    public List<string> Clients { get; set; } = [];

    /// <summary>Their holders may work: take tasks and answer them. Default: none.</summary>
    public List<string> Workers { get; set; } = [];

    /// <summary>Their holders may speak as servers: watch, borrow and give back. Default: none.</summary>
    public List<string> Peers { get; set; } = [];
}
