using Mesh.Tests.Fixtures;

namespace Mesh.Tests.Publishing;

/// <summary>The shell blocks of README.md, run as a reader types them. Each block stands in one of the tests, so that a new one is not forgotten.</summary>
[Trait("Speed", "Slow")]
public sealed class ReadmeTests(RedisFixture redis)
{
    private static readonly string[] Tested = ["Run it", "Test it", "By hand"];

    [Fact]
    public async Task ByHand_Blocks_PrintTheBalance()
    {
        var blocks = ShellBlocks.Of("README.md", "By hand");
        var (a, b) = (RedisProcess.FreePort(), RedisProcess.FreePort());
        var address = await redis.ConnectionStringAsync();
        var (user, task) = (RedisFixture.Unique("maria"), RedisFixture.Unique("first"));
        await using var shell = new ShellBlocks(new()
        {
            // dotnet run --no-build takes the programs that the tests were built with.
            ["Configuration"] = Path.GetFileName(Path.GetDirectoryName(Path.GetDirectoryName(BuildOutput.AppHost)))!,
        });
        foreach (var block in blocks.Select(Own))
        {
            if (block.StartsWith(ShellBlocks.Stays, StringComparison.Ordinal))
            {
                shell.Start(block);
            }
            else
            {
                await HealthyAsync(a, shell);
                await HealthyAsync(b, shell);
                await shell.RunAsync(block);
            }
        }

        Assert.Equal(3, blocks.Count(block => block.StartsWith(ShellBlocks.Stays, StringComparison.Ordinal)));
        Assert.Contains($$"""{"user":"{{user}}","balance":112.5}""", shell.Output, StringComparison.Ordinal);
        Assert.Contains("\"id\":\"server-b\",\"endpoint\":\"127.0.0.1:" + b, shell.Output, StringComparison.Ordinal);

        // Only what other tests of the run share is replaced.
        string Own(string block) => block.Replace("127.0.0.1:6379", address, StringComparison.Ordinal).Replace(":9001", $":{a}", StringComparison.Ordinal)
            .Replace(":9002", $":{b}", StringComparison.Ordinal).Replace("maria", user, StringComparison.Ordinal).Replace("first", task, StringComparison.Ordinal);
    }

    [Fact]
    public void RunIt_Block_StartsTheProgramThatAppHostProcessTestsStarts()
    {
        var block = Assert.Single(ShellBlocks.Of("README.md", "Run it"));

        Assert.Equal($"{ShellBlocks.Stays}\ndotnet run --project {Path.GetFileNameWithoutExtension(BuildOutput.AppHost)}\n", block);
        Assert.True(File.Exists(BuildOutput.Source("MeshAspire.AppHost/MeshAspire.AppHost.csproj")));
    }

    [Fact]
    public async Task TestIt_Block_FindsTheTestsOfTheSolution()
    {
        var block = Assert.Single(ShellBlocks.Of("README.md", "Test it").Where(block => block.StartsWith("dotnet test", StringComparison.Ordinal)).Take(1));
        await using var shell = new ShellBlocks([]);

        // A run of all tests within a test would not end: the command is run with the list of tests instead.
        await shell.RunAsync(block.TrimEnd() + " --no-build --list-tests --filter-class '*.ReadmeTests'");

        Assert.Contains(nameof(TestIt_Block_FindsTheTestsOfTheSolution), shell.Output, StringComparison.Ordinal);
    }

    [Fact]
    public void Sections_WithAShellBlock_AreAllTested()
    {
        var headings = File.ReadLines(BuildOutput.Source("README.md")).Where(line => line.StartsWith("## ", StringComparison.Ordinal)).Select(line => line[3..]);

        Assert.Equal(Tested, headings.Where(heading => ShellBlocks.Of("README.md", heading).Count > 0));
    }

    private static async Task HealthyAsync(int port, ShellBlocks shell)
    {
        using var http = new HttpClient();
        await Integration.Eventually.GetAsync(
            $"the server at port {port} is healthy",
            async () =>
            {
                try
                {
                    using var answer = await http.GetAsync(new Uri($"http://127.0.0.1:{port}/health"), TestContext.Current.CancellationToken);
                    return answer.IsSuccessStatusCode;
                }
                catch (HttpRequestException)
                {
                    return false;
                }
            },
            healthy => healthy,
            details: () => shell.Output);
    }
}
