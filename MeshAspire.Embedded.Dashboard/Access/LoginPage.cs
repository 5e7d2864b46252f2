using System.Net;

namespace MeshAspire.Embedded.Dashboard.Access;

/// <summary>Whole in itself: without the token no asset answers.</summary>
internal static class LoginPage
{
    public static string Html(string application, string? returnUrl, bool wrong) => $$"""
        <!DOCTYPE html>
        <html lang="en">
        <head>
          <meta charset="utf-8">
          <meta name="viewport" content="width=device-width, initial-scale=1">
          <meta name="color-scheme" content="light dark">
          <link rel="icon" href="data:,">
          <title>Log in · {{WebUtility.HtmlEncode(application)}}</title>
          <style>
            :root { --page: #f5f5f7; --card: #fff; --text: #1b1b1f; --dim: #5c5c66; --line: #d1d1d8; --brand: #5b4bd6; --bad: #b10e1c; }
            @media (prefers-color-scheme: dark) {
              :root { --page: #16161a; --card: #202026; --text: #f0f0f4; --dim: #a6a6b2; --line: #45454f; --brand: #7f70f0; --bad: #ff99a4; }
            }
            body { margin: 0; min-height: 100vh; display: grid; place-items: center; background: var(--page); color: var(--text); font: 15px/1.5 "Segoe UI Variable", "Segoe UI", system-ui, sans-serif; }
            main { box-sizing: border-box; width: min(27rem, 92vw); padding: 2.25rem; background: var(--card); border: 1px solid var(--line); border-radius: 14px; box-shadow: 0 12px 40px #0002; }
            h1 { margin: 0 0 .35rem; font-size: 1.35rem; font-weight: 600; }
            p { margin: 0 0 1.25rem; color: var(--dim); }
            p.bad { color: var(--bad); }
            label { display: block; margin-bottom: .35rem; font-weight: 600; }
            input, button { box-sizing: border-box; width: 100%; padding: .6rem .75rem; font: inherit; border-radius: 7px; }
            input { color: inherit; background: var(--page); border: 1px solid var(--line); font-family: ui-monospace, Consolas, monospace; }
            button { margin-top: 1rem; border: 0; background: var(--brand); color: #fff; font-weight: 600; cursor: pointer; }
            :focus-visible { outline: 2px solid var(--brand); outline-offset: 2px; }
            code { font-family: ui-monospace, Consolas, monospace; font-size: .92em; }
          </style>
        </head>
        <body>
          <main>
            <h1>{{WebUtility.HtmlEncode(application)}}</h1>
            <p>The AppHost prints a link with a login token when it starts. Open that link, or paste its token here.</p>
            {{(wrong ? "<p class=\"bad\" role=\"alert\">That isn't the token of this run. Each run has its own.</p>" : "")}}
            <form method="post" action="/login">
              <label for="t">Token</label>
              <input id="t" name="t" type="password" autocomplete="off" required autofocus>
              {{(returnUrl is null ? "" : $"<input type=\"hidden\" name=\"returnUrl\" value=\"{WebUtility.HtmlEncode(returnUrl)}\">")}}
              <button type="submit">Log in</button>
            </form>
          </main>
        </body>
        </html>
        """;
}
