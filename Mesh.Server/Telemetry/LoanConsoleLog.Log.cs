using Mesh.Protocol;

namespace Mesh.Server.Telemetry;

internal sealed partial class LoanConsoleLog
{
    [LoggerMessage(3301, LogLevel.Information, "{Queue} tasks wait; {Owner} lends {Workers}.")]
    private partial void LogBorrowing(int queue, ServerId owner, string workers);

    [LoggerMessage(3302, LogLevel.Information, "Lending {Workers} to {Borrower}.")]
    private partial void LogLending(string workers, ServerId borrower);

    [LoggerMessage(3303, LogLevel.Information, "Here to help from {Owner}: {Workers}.")]
    private partial void LogArrived(string workers, ServerId owner);

    [LoggerMessage(3304, LogLevel.Information, "Going back to {Owner}: {Workers}.")]
    private partial void LogReleasing(string workers, ServerId owner);

    [LoggerMessage(3305, LogLevel.Information, "Home again from {Borrower}: {Workers}.")]
    private partial void LogHome(string workers, ServerId borrower);
}
