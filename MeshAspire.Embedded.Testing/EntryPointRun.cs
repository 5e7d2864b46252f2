using System.Diagnostics.CodeAnalysis;
using System.Reflection;
using Microsoft.Extensions.Hosting;

namespace Aspire.Hosting.Testing;

/// <summary>
/// One run of an AppHost's entry point, on a thread of its own. It is held where it builds its application until the test wants that built;
/// where the entry point then runs the application, it only waits until the test has disposed of it.
/// </summary>
internal sealed class EntryPointRun(Assembly assembly, string[] args, Action<DistributedApplicationOptions, HostApplicationBuilderSettings> configure) : IAsyncDisposable
{
    private readonly TaskCompletionSource<DistributedApplicationBuilder> _composed = New<DistributedApplicationBuilder>();
    private readonly TaskCompletionSource<bool> _mayBuild = New<bool>();
    private readonly TaskCompletionSource<TestedApplication> _built = New<TestedApplication>();
    private readonly TaskCompletionSource<bool> _over = New<bool>();
    private readonly TaskCompletionSource<bool> _returned = New<bool>();

    public async Task<DistributedApplicationBuilder> ComposeAsync(CancellationToken cancellationToken)
    {
        var name = assembly.GetName().Name;
        var entryPoint = assembly.EntryPoint ?? throw new InvalidOperationException($"{name} is no program, so no AppHost.");
        new Thread(() => Run(entryPoint)) { IsBackground = true, Name = $"{name}.EntryPoint" }.Start();
        return await _composed.Task.WaitAsync(cancellationToken);
    }

    public async Task<DistributedApplication> BuildAsync(CancellationToken cancellationToken)
    {
        _mayBuild.TrySetResult(true);
        return await _built.Task.WaitAsync(cancellationToken);
    }

    public async ValueTask DisposeAsync()
    {
        _mayBuild.TrySetCanceled();
        if (!_composed.Task.IsCompleted)
        {
            // It never got there, or is still on its way: a background thread, which ends with the process at the latest.
            return;
        }

        if (_built.Task.IsCompletedSuccessfully)
        {
            await (await _built.Task).DisposeAsync();
        }

        End();
        await _returned.Task;
    }

    /// <summary>The application is over: the entry point may go on.</summary>
    public void End() => _over.TrySetResult(true);

    private static TaskCompletionSource<T> New<T>() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    private void Run(MethodInfo entryPoint)
    {
        EntryPointHooks.Current = new(Create, Build);
        Exception fault = new InvalidOperationException($"The entry point of {assembly.GetName().Name} ended without building an application.");
        try
        {
            entryPoint.Invoke(null, entryPoint.GetParameters().Length == 0 ? [] : [args]);
        }
        catch (TargetInvocationException exception)
        {
            fault = exception.InnerException ?? exception;
        }

        _composed.TrySetException(fault);
        _built.TrySetException(fault);
        _returned.TrySetResult(true);
    }

    private void Create(DistributedApplicationOptions options, HostApplicationBuilderSettings settings)
    {
        options.AssemblyName = assembly.GetName().Name;
        options.DisableDashboard = true;
        options.EnableResourceLogging = true;
        options.Isolated = true;
        configure(options, settings);
    }

    private EntryPointApplication Build(DistributedApplicationBuilder builder, Func<IHost> build)
    {
        _composed.TrySetResult(builder);
        _mayBuild.Task.GetAwaiter().GetResult();
        var host = build();
        _built.TrySetResult(new TestedApplication(host, this));
        return new EntryPointApplication(host, _over.Task);
    }

    /// <summary>The application as the test has it.</summary>
    private sealed class TestedApplication(IHost host, EntryPointRun run) : DistributedApplication(host)
    {
        public override async ValueTask DisposeAsync()
        {
            await base.DisposeAsync();
            run.End();
        }
    }

    /// <summary>The application as its entry point has it.</summary>
    private sealed class EntryPointApplication(IHost host, Task over) : DistributedApplication(host)
    {
        public override Task RunAsync(CancellationToken cancellationToken = default) => over.WaitAsync(cancellationToken);

        [SuppressMessage("Usage", "CA2215", Justification = "The test disposes of the host.")]
        public override ValueTask DisposeAsync() => ValueTask.CompletedTask;
    }
}
