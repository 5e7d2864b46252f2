using System.Globalization;

namespace MeshAspire.Embedded.Dashboard.Access;

/// <summary>The cookie that stands for the token once a person is in.</summary>
internal sealed class Ticket
{
    private readonly string _value;
    private readonly Secret _secret;

    public Ticket(DashboardOptions options)
    {
        _value = new Secret(options.Token).Derive("cookie");
        _secret = new Secret(_value);
    }

    public bool IsIn(HttpRequest request) => _secret.Is(request.Cookies[Name(request.HttpContext)]);

    public void Give(HttpContext context) => context.Response.Cookies.Append(Name(context), _value, new CookieOptions
    {
        HttpOnly = true,
        SameSite = SameSiteMode.Strict,
        Secure = context.Request.IsHttps,
        Path = "/",
    });

    public static void TakeBack(HttpContext context) => context.Response.Cookies.Delete(Name(context));

    // Two dashboards on one machine share their cookies.
    private static string Name(HttpContext context) => string.Create(CultureInfo.InvariantCulture, $"mesh-dashboard-{context.Connection.LocalPort}");
}
