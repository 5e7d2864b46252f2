// Submits waves of tasks and computes the expected balances.
import { setTimeout as sleep } from "node:timers/promises";

const users = ["maria", "joao", "ana", "luiza"];
const waiting = 60; // Tasks that are kept in the server's queue, well above its high threshold.
const wave = 20; // Tasks in one submission.

/** The accounts, and the balance of each when all accepted tasks are done. In cents, so that sums are exact. */
export class Ledger {
  #cents = new Map(users.map((user) => [user, 0]));

  accepted = 0;
  repeated = 0;

  open(server) {
    return Promise.all(users.map((user) => server.setBalance(user, 0)));
  }

  async submit(server, count) {
    const updates = Array.from({ length: count }, (_, index) => this.#update(this.accepted + index));
    this.repeated += (await server.submit(updates.map(({ user, cents, id }) => ({ id, type: "UPDATE", user, amount: cents / 100 })))) - 1;
    this.accepted += count;
    for (const { user, cents } of updates) this.#cents.set(user, this.#cents.get(user) + cents);
  }

  /** Each account with its expected balance and the one that a server returns. */
  compare(server) {
    return Promise.all(users.map(async (user) => ({ user, expected: this.#cents.get(user) / 100, actual: await server.balance(user) })));
  }

  // Different amounts, so that a lost update and a repeated one do not cancel each other out.
  #update = (number) => ({ id: `update-${number}`, user: users[number % users.length], cents: 1 + ((number * 7919) % 10_007) });
}

/** Keeps a server under load until the work is done. */
export async function under(server, ledger, work) {
  let done = false;
  const load = (async () => {
    while (!done) {
      const { queue } = (await server.ask("/status")) ?? {};
      if (queue === undefined || queue < waiting) await ledger.submit(server, wave);
      else await sleep(50, undefined, { signal: server.signal });
    }
  })();
  try {
    // A failure of the load cancels the wait for the work.
    return await Promise.race([work(), load.then(() => new Promise(() => {}))]);
  } finally {
    done = true;
    await load;
  }
}
