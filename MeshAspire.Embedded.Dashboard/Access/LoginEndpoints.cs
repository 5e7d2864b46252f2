using Microsoft.AspNetCore.Mvc;

namespace MeshAspire.Embedded.Dashboard.Access;

/// <summary>The one page that answers everybody; it takes the token from its address or from its form.</summary>
internal static class LoginEndpoints
{
    public static void MapLogin(this IEndpointRouteBuilder routes, DashboardOptions options)
    {
        var token = new Secret(options.Token);
        var ticket = new Ticket(options);

        IResult Enter(HttpContext context, string? given, string? returnUrl)
        {
            context.Response.Headers.CacheControl = "no-store";
            if (token.Is(given))
            {
                ticket.Give(context);
                return Results.LocalRedirect(IsLocal(returnUrl) ? returnUrl! : "/");
            }

            var page = LoginPage.Html(options.ApplicationName, IsLocal(returnUrl) ? returnUrl : null, wrong: given is { Length: > 0 });
            return Results.Content(page, "text/html; charset=utf-8", statusCode: given is { Length: > 0 } ? StatusCodes.Status401Unauthorized : StatusCodes.Status200OK);
        }

        routes.MapGet(Gate.LoginPath, (HttpContext context, string? t, string? returnUrl) => Enter(context, t, returnUrl)).WithMetadata(Door.Page);
        routes.MapPost(Gate.LoginPath, (HttpContext context, [FromForm] string? t, [FromForm] string? returnUrl) => Enter(context, t, returnUrl))
            .WithMetadata(Door.Page).DisableAntiforgery();
        routes.MapPost("/logout", (HttpContext context) =>
        {
            Ticket.TakeBack(context);
            return Results.LocalRedirect(Gate.LoginPath);
        }).WithMetadata(Door.Page).DisableAntiforgery();
    }

    private static bool IsLocal(string? url) => url is ['/', not '/' and not '\\', ..] or "/";
}
