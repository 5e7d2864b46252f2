using System.Net;
using System.Net.Sockets;
using Mesh.Protocol;
using Mesh.Server.Core;
using Mesh.Server.Discovery;
using Mesh.Server.Hosting.Options;
using Mesh.Tests.Fixtures;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;

namespace Mesh.Tests.Server.Discovery;

public sealed class DnsPeersTests
{
    private static readonly PeersFromDnsOptions Options = new() { Name = "mesh-servers", Port = 8080, RemoveAfter = TimeSpan.FromMinutes(10) };

    private readonly FakeDns _mesh = new();
    private readonly FakeTimeProvider _time = new();
    private readonly DnsPeers _peers;

    public DnsPeersTests() => _peers = new DnsPeers(_mesh, _mesh, _time, NullLogger<DnsPeers>.Instance);

    [Fact]
    public async Task Find_AddressesOfServers_AreThePeersWithoutThisServer()
    {
        _mesh.Add("10.1.0.1", "server-a");
        _mesh.Add("10.1.0.2", "server-b");
        _mesh.Add("fd00::3", "server-c");

        Assert.Equal([Peer("server-b", "10.1.0.2"), Peer("server-c", "fd00::3")], await FindAsync());
    }

    [Fact]
    public async Task Find_ServerWithANameOfItsOwn_HasThatName()
    {
        _mesh.Add("10.1.0.2", "mesh-server-1", named: true);

        Assert.Equal([Peer("mesh-server-1", "mesh-server-1.mesh-servers")], await FindAsync());
    }

    [Fact]
    public async Task Find_NamedServerGetsAnotherAddress_StaysTheSamePeer()
    {
        _mesh.Add("10.1.0.2", "mesh-server-1", named: true);
        var before = await FindAsync();
        _mesh.Remove("10.1.0.2");
        _mesh.Add("10.1.0.7", "mesh-server-1", named: true);

        Assert.Equal(before, await FindAsync());
    }

    [Fact]
    public async Task Find_ServerThatDoesNotAnswer_IsFoundLater()
    {
        _mesh.Add("10.1.0.2", null);
        Assert.Empty(await FindAsync());

        _mesh.Add("10.1.0.2", "server-b");
        Assert.Equal([Peer("server-b", "10.1.0.2")], await FindAsync());
    }

    [Fact]
    public async Task Find_AddressGone_RemovesThePeerAfterTheTime()
    {
        _mesh.Add("10.1.0.2", "server-b");
        _mesh.Add("10.1.0.3", "server-c");
        await FindAsync();
        _mesh.Remove("10.1.0.2");

        _time.Advance(TimeSpan.FromMinutes(9.9));
        Assert.Equal(2, (await FindAsync()).Count);

        _time.Advance(TimeSpan.FromMinutes(0.1));
        Assert.Equal([Peer("server-c", "10.1.0.3")], await FindAsync());
    }

    [Fact]
    public async Task Find_NameCannotBeLookedUp_KeepsThePeers()
    {
        _mesh.Add("10.1.0.2", "server-b", named: true);
        var before = await FindAsync();
        _mesh.IsDown = true;
        _time.Advance(TimeSpan.FromHours(1));

        Assert.Equal(before, await FindAsync());
    }

    [Fact]
    public async Task Find_KnownAddresses_AreNotAskedAgainSoon()
    {
        _mesh.Add("10.1.0.2", "server-b");
        await FindAsync();
        await FindAsync();
        Assert.Equal(1, _mesh.Asked);

        _time.Advance(TimeSpan.FromMinutes(5));
        _mesh.Add("10.1.0.2", "server-c");
        Assert.Equal([Peer("server-b", "10.1.0.2"), Peer("server-c", "10.1.0.2")], await FindAsync());
    }

    [Fact]
    public async Task Find_ServerWithTwoAddresses_IsOnePeer()
    {
        _mesh.Add("fd00::2", "server-b");
        _mesh.Add("10.1.0.2", "server-b");

        Assert.Equal([Peer("server-b", "10.1.0.2")], await FindAsync());
    }

    [Fact]
    public async Task Find_NameRemovedFromTheConfiguration_HasNoPeers()
    {
        _mesh.Add("10.1.0.2", "server-b");
        await FindAsync();

        Assert.Empty(await _peers.FindAsync(new PeersFromDnsOptions(), new ServerId("server-a"), TestContext.Current.CancellationToken));
    }

    private Task<IReadOnlyList<PeerSettings>> FindAsync() => _peers.FindAsync(Options, new ServerId("server-a"), TestContext.Current.CancellationToken).OrFailAsync("the peers");

    private static PeerSettings Peer(string id, string host) => new(new ServerId(id), new MeshEndpoint(host, 8080));

    /// <summary>A DNS zone and the servers at its addresses.</summary>
    private sealed class FakeDns : INameResolver, IServerIdProbe
    {
        private readonly Dictionary<IPAddress, (string? Server, bool IsNamed)> _servers = [];

        public bool IsDown { get; set; }

        public int Asked { get; private set; }

        public void Add(string address, string? server, bool named = false) => _servers[IPAddress.Parse(address)] = (server, named);

        public void Remove(string address) => _servers.Remove(IPAddress.Parse(address));

        public Task<IPAddress[]> ResolveAsync(string name, CancellationToken cancellationToken)
        {
            IPAddress[] found = name == Options.Name ? [.. _servers.Keys] : [.. _servers.Where(server => server.Value.IsNamed && name == $"{server.Value.Server}.{Options.Name}").Select(server => server.Key)];
            return IsDown || found.Length == 0 ? throw new SocketException((int)SocketError.HostNotFound) : Task.FromResult(found);
        }

        public Task<ServerId?> AskAsync(MeshEndpoint endpoint, CancellationToken cancellationToken)
        {
            Asked++;
            return Task.FromResult(_servers[IPAddress.Parse(endpoint.Host)].Server is { } server ? new ServerId(server) : (ServerId?)null);
        }
    }
}
