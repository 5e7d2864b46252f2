using System.Diagnostics;
using System.Reflection;
using System.Reflection.Emit;
using System.Runtime.CompilerServices;

namespace Mesh.Tests.Fixtures;

/// <summary>The trait Speed=Slow lets a filter leave out the tests that start processes.</summary>
public sealed class SpeedTraitTests
{
    private const BindingFlags Any = BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Instance | BindingFlags.Static | BindingFlags.DeclaredOnly;

    private static readonly Assembly Tests = typeof(SpeedTraitTests).Assembly;

    private static readonly Dictionary<int, OpCode> OpCodesByValue = typeof(OpCodes).GetFields(BindingFlags.Public | BindingFlags.Static)
        .Select(field => (OpCode)field.GetValue(null)!).ToDictionary(code => code.Value & 0xFFFF);

    private readonly Dictionary<(Module, int), MethodBase[]> _calls = [];

    [Fact]
    public void Tests_StartProcesses_HaveTheTraitSlow()
    {
        var tests = Tests.GetTypes().Where(type => type is { IsClass: true, IsAbstract: false })
            .SelectMany(type => type.GetMethods().Where(method => method.IsDefined(typeof(FactAttribute), inherit: true)).Select(method => (Class: type, Method: method))).ToList();

        var starting = tests.Where(test => StartsAProcess(test.Class, test.Method)).ToList();

        // The search finds a class that starts processes, and not one that does not.
        Assert.Contains(starting, test => test.Class == typeof(Integration.MeshTests));
        Assert.DoesNotContain(starting, test => test.Class == typeof(SpeedTraitTests));
        Assert.Empty(starting.Where(test => !IsSlow(test.Class) && !IsSlow(test.Method)).Select(test => $"{test.Class.FullName}.{test.Method.Name}"));
    }

    private static bool IsSlow(MemberInfo member) => member.GetCustomAttributes<TraitAttribute>(inherit: false).Any(trait => trait is { Name: "Speed", Value: "Slow" });

    /// <summary>Searches what a test can call: its own code, the construction and setup of its class, the overrides of its class, and its fixtures.</summary>
    private bool StartsAProcess(Type testClass, MethodInfo test)
    {
        var setup = Hierarchy(testClass).SelectMany(type => type.GetMethods(Any))
            .Where(method => method.Name is nameof(IAsyncLifetime.InitializeAsync) or nameof(IAsyncLifetime.DisposeAsync) || method.GetBaseDefinition() != method);
        var constructors = Hierarchy(testClass).SelectMany(type => type.GetConstructors(Any));
        var fixtures = testClass.GetConstructors().SelectMany(constructor => constructor.GetParameters()).SelectMany(parameter => Hierarchy(parameter.ParameterType)).SelectMany(MembersOf);
        var (waiting, seen) = (new Stack<MethodBase>([test, .. setup, .. constructors, .. fixtures]), new HashSet<(Module, int)>());
        while (waiting.TryPop(out var method))
        {
            if (IsStart(method))
            {
                return true;
            }

            if (method.Module.Assembly == Tests && seen.Add((method.Module, method.MetadataToken)))
            {
                if (!_calls.TryGetValue((method.Module, method.MetadataToken), out var calls))
                {
                    _calls[(method.Module, method.MetadataToken)] = calls = [.. CallsOf(method)];
                }

                foreach (var called in calls)
                {
                    waiting.Push(called);
                }
            }
        }

        return false;
    }

    private static bool IsStart(MethodBase method) =>
        (method.DeclaringType == typeof(Process) && method.Name == nameof(Process.Start)) || method.Module.Assembly.GetName().Name is "Aspire.Hosting.Testing" or "Microsoft.Playwright";

    private static IEnumerable<Type> Hierarchy(Type? type)
    {
        for (; type is not null && type.Assembly == Tests; type = type.BaseType)
        {
            yield return type.IsGenericType ? type.GetGenericTypeDefinition() : type;
        }
    }

    private static IEnumerable<MethodBase> MembersOf(Type type) => [.. type.GetMethods(Any), .. type.GetConstructors(Any)];

    /// <summary>The methods that a method calls or refers to. An object that it creates may be called through an interface, so all members of its type count.</summary>
    private static IEnumerable<MethodBase> CallsOf(MethodBase method)
    {
        if (method.GetCustomAttribute<StateMachineAttribute>() is { } machine)
        {
            return machine.StateMachineType.GetMethods(Any);
        }

        return Operands(method).SelectMany(call => call.Code == OpCodes.Newobj && call.Called.DeclaringType is { } created && !created.Name.StartsWith('<')
            ? [call.Called, .. Hierarchy(created).SelectMany(MembersOf)]
            : new[] { call.Called });
    }

    private static IEnumerable<(OpCode Code, MethodBase Called)> Operands(MethodBase method)
    {
        var code = method.GetMethodBody()?.GetILAsByteArray() ?? [];
        for (var at = 0; at < code.Length;)
        {
            var opCode = OpCodesByValue[code[at] == 0xFE ? 0xFE00 | code[at + 1] : code[at]];
            at += opCode.Size;
            if (opCode.OperandType is OperandType.InlineMethod)
            {
                yield return (opCode, method.Module.ResolveMethod(BitConverter.ToInt32(code, at), method.DeclaringType?.GetGenericArguments(), method.IsGenericMethod ? method.GetGenericArguments() : null)!);
            }

            at += opCode.OperandType switch
            {
                OperandType.InlineNone => 0,
                OperandType.ShortInlineBrTarget or OperandType.ShortInlineI or OperandType.ShortInlineVar => 1,
                OperandType.InlineVar => 2,
                OperandType.InlineI8 or OperandType.InlineR => 8,
                OperandType.InlineSwitch => 4 + (4 * BitConverter.ToInt32(code, at)),
                _ => 4,
            };
        }
    }
}
