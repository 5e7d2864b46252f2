// A client of a server's HTTP API. It retries while servers and their Redis are killed.
import { setTimeout as sleep } from "node:timers/promises";

const limit = 120; // The timeout of each operation, in seconds.

/** Repeats a request until its answer satisfies a condition. A server that cannot be reached has no answer. */
export async function until(awaited, ask, satisfies = Boolean, signal) {
  const end = Date.now() + limit * 1000;
  for (;;) {
    const answer = await ask();
    if (answer !== undefined && satisfies(answer)) return answer;
    if (Date.now() > end) throw new Error(`${awaited}: not within ${limit} s, but ${JSON.stringify(answer)}`);
    await sleep(200, undefined, { signal });
  }
}

export class Server {
  constructor(id, port, token, signal) {
    Object.assign(this, { id, signal, url: `http://127.0.0.1:${port}`, headers: { Authorization: `Bearer ${token}`, "Content-Type": "application/json" } });
  }

  /** The body of the answer, or undefined when the server is down, starts or has no store. */
  async ask(path, options = {}) {
    let response;
    try {
      response = await fetch(this.url + path, { headers: this.headers, signal: AbortSignal.timeout(10_000), ...options });
      const body = await response.text();
      if (response.ok) return JSON.parse(body || "{}");
      if (response.status !== 503 && response.status !== 429) throw new Error(`${this.id} answered ${response.status} to ${path}: ${body}`);
    } catch (fault) {
      // fetch throws a TypeError when a connection cannot be established or is lost.
      if (!(fault instanceof TypeError) && fault.name !== "TimeoutError") throw fault;
    }
    this.signal.throwIfAborted();
    return undefined;
  }

  status(awaited, satisfies) {
    return until(`${this.id}: ${awaited}`, () => this.ask("/status"), satisfies, this.signal);
  }

  setBalance(user, balance) {
    return until(`${this.id} sets ${user}`, () => this.ask(`/accounts/${user}`, { method: "PUT", body: JSON.stringify({ balance }) }), undefined, this.signal);
  }

  async balance(user) {
    return (await until(`${this.id} returns the balance of ${user}`, () => this.ask(`/accounts/${user}`), undefined, this.signal)).balance;
  }

  /** Submits tasks until they are accepted. They have ids, so a submission whose answer was lost is not accepted twice. Returns the number of tries. */
  async submit(tasks) {
    let tries = 0;
    const once = () => {
      tries++;
      return this.ask("/tasks", { method: "POST", body: JSON.stringify(tasks) });
    };
    await until(`${this.id} accepts tasks`, once, undefined, this.signal);
    return tries;
  }
}
