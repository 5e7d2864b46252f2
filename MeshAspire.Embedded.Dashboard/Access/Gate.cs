namespace MeshAspire.Embedded.Dashboard.Access;

/// <summary>
/// Lets through what has its door's secret. Stands before routing, so that nothing answers without it: no page, no asset, no circuit.
/// </summary>
internal sealed class Gate(RequestDelegate next, DashboardOptions options)
{
    public const string KeyHeader = "x-otlp-api-key";

    public const string LoginPath = "/login";

    private readonly Secret _key = new(options.OtlpKey);
    private readonly Ticket _ticket = new(options);

    public Task InvokeAsync(HttpContext context)
    {
        if (Door.Of(context) == Door.Otlp)
        {
            return _key.Is(context.Request.Headers[KeyHeader]) ? next(context) : Refuse(context, StatusCodes.Status401Unauthorized);
        }

        AddHeaders(context.Response.Headers);
        if (!IsOwnOrigin(context.Request))
        {
            return Refuse(context, StatusCodes.Status403Forbidden);
        }

        if (context.Request.Path == LoginPath || _ticket.IsIn(context.Request))
        {
            return next(context);
        }

        if (HttpMethods.IsGet(context.Request.Method) && context.Request.Headers.Accept.ToString().Contains("text/html", StringComparison.Ordinal))
        {
            var wanted = Uri.EscapeDataString(context.Request.Path + context.Request.QueryString);
            context.Response.Redirect(wanted == "%2F" ? LoginPath : $"{LoginPath}?returnUrl={wanted}");
            return Task.CompletedTask;
        }

        return Refuse(context, StatusCodes.Status401Unauthorized);
    }

    /// <summary>Cookies don't tell ports apart: another program's page on this machine must not act with ours.</summary>
    private static bool IsOwnOrigin(HttpRequest request) =>
        request.Headers.Origin.ToString() is not { Length: > 0 } origin || origin == $"{request.Scheme}://{request.Host}";

    private static void AddHeaders(IHeaderDictionary headers)
    {
        headers.ContentSecurityPolicy =
            "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; connect-src 'self'; frame-ancestors 'none'; base-uri 'self'; form-action 'self'";
        headers.XContentTypeOptions = "nosniff";
        // The address of the login has the token in it; a form of ours still says where it comes from.
        headers["Referrer-Policy"] = "same-origin";
    }

    private static Task Refuse(HttpContext context, int status)
    {
        context.Response.StatusCode = status;
        return Task.CompletedTask;
    }
}
