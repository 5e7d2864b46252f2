// Reads the status from the server-sent events of GET /events. It uses fetch, because EventSource cannot send the token in a header.

const FIRST_DELAY = 500;
const LONGEST_DELAY = 5000;
const SILENCE = 40_000; // the server sends at least one line every 15 s

const key = 'mesh.token';

export const token = {
  get: () => sessionStorage.getItem(key),
  set: value => sessionStorage.setItem(key, value),
  forget: () => sessionStorage.removeItem(key),
};

const headers = () => (token.get() ? { Authorization: `Bearer ${token.get()}` } : {});
const pause = time => new Promise(resolve => setTimeout(resolve, time));

/** Returns the response's JSON, or null for an error response. */
export async function read(path) {
  const answer = await fetch(path, { headers: headers(), cache: 'no-store' });
  return answer.ok ? answer.json() : null;
}

/**
 * Follows the status and reconnects when the connection fails. Resolves when the server requires a token, or refuses the given one.
 * on: opened(clockOffset), status(value), away(reason).
 */
export async function follow(on) {
  for (let delay = FIRST_DELAY; ; delay = Math.min(delay * 1.6, LONGEST_DELAY)) {
    const stop = new AbortController();
    let silence = 0;
    const heard = () => {
      clearTimeout(silence);
      silence = setTimeout(() => stop.abort(), SILENCE);
    };
    try {
      heard();
      const answer = await fetch('/events', { headers: headers(), cache: 'no-store', signal: stop.signal });
      if (answer.status === 401) return;
      if (answer.ok) {
        delay = FIRST_DELAY;
        const date = Date.parse(answer.headers.get('Date') ?? '');
        await on.opened(Number.isNaN(date) ? 0 : date - Date.now());
        await parse(answer.body, heard, on.status);
        on.away('The server has closed the connection');
      } else {
        const problem = await answer.json().catch(() => null);
        on.away((problem?.detail ?? `The server answers ${answer.status}`).replace(/\.$/, ''));
      }
    } catch (fault) {
      if (!(fault instanceof TypeError || fault.name === 'AbortError')) throw fault; // not a network error
      on.away('The server does not answer');
    } finally {
      clearTimeout(silence);
    }
    await pause(delay);
  }
}

async function parse(body, heard, tell) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = '';
  for (let chunk = await reader.read(); !chunk.done; chunk = await reader.read()) {
    heard();
    const lines = (rest + chunk.value).split('\n');
    rest = lines.pop();
    for (const line of lines) {
      if (line.startsWith('data: ')) tell(JSON.parse(line.slice(6)));
    }
  }
}
