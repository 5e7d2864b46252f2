namespace Mesh.Server.Supervisor;

internal static class Percent
{
    /// <summary>0 to 100, of one decimal; 0 of nothing.</summary>
    public static double Of(double part, double whole) => whole > 0 ? Math.Round(Math.Clamp(100 * part / whole, 0, 100), 1) : 0;
}
