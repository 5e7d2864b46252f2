#!/usr/bin/env node
// Runs the mesh of deploy/compose in containers, kills its parts under load, and compares the balances with what was accepted:
//
//   node deploy/check/compose-up.mjs [arguments for dotnet publish]
//
// It uses the engine of the docker client with a separate project, image tags and ports, and removes all of them at the end. Exit code 77: there is no engine or no Compose.
import { once } from "node:events";
import { createServer } from "node:net";
import { Ledger, under } from "./live/load.mjs";
import { crash, docker, engineVersion, findCompose, restarts, run } from "./live/engine.mjs";
import { Server, until } from "./live/server.mjs";

const skipped = 77;
const name = `mesh-check-${process.pid}`;
const ended = new AbortController();
for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, () => ended.abort(new Error(`ended by ${signal}`)));

let last = Date.now();
/** Writes what was done since the last line, and its duration. */
function report(text) {
  const seconds = (Date.now() - last) / 1000;
  last = Date.now();
  console.log(`${seconds.toFixed(1).padStart(6)} s  ${text}`);
}

let engine, compose;
try {
  [engine, compose] = [await engineVersion(), await findCompose()];
} catch (fault) {
  console.log(`skipped: ${(fault.stderr || fault.message).trim().split("\n").at(-1)}`);
  process.exit(skipped);
}
report(`Docker ${engine}, compose ${compose.version}.`);

const [portA, portB] = [await freePort(), await freePort()];
const environment = {
  MESH_TAG: name, MESH_TOKEN: name, REDIS_PASSWORD: name, MESH_PORT_A: portA, MESH_PORT_B: portB, OTEL_EXPORTER_OTLP_ENDPOINT: "",
};
const [program, ...rest] = compose.command;
const mesh = (...args) => run(program, [...rest, "-p", name, "-f", "deploy/compose/compose.yaml", "-f", "deploy/check/live/compose.yaml", ...args], { environment });
const containers = async (service) => (await mesh("ps", "-q", service)).split("\n");
const a = new Server("server-a", portA, name, ended.signal);
const b = new Server("server-b", portB, name, ended.signal);
const ledger = new Ledger();
let redisImage;

try {
  await publish();
  await start();
  await watchLoan();
  await killUnderLoad();
  await compareBalances();
} catch (fault) {
  const reason = ended.signal.reason ?? fault;
  // Cancels all waits.
  ended.abort(reason);
  console.error(`failed: ${reason.stderr || reason.stdout || reason.stack}`);
  console.error(await mesh("logs", "--tail", "30").catch((other) => other.message));
  process.exitCode = 1;
} finally {
  await mesh("down", "--volumes").catch(fail);
  await docker("image", "rm", `mesh-server:${name}`, `mesh-worker:${name}`).catch(fail);
  report("The mesh is removed.");
}

function fail(fault) {
  console.error(`failed: ${fault.stderr || fault.message}`);
  process.exitCode = 1;
}

async function publish() {
  for (const project of ["Mesh.Server", "Mesh.Worker"]) {
    await run("dotnet", ["publish", project, "-t:PublishContainer", `-p:ContainerImageTag=${name}`, "--nologo", "-v", "q", ...process.argv.slice(2)], { signal: ended.signal });
  }
  report("The images of server and worker are published.");
}

async function start() {
  await mesh("up", "-d");
  await atRest();
  await ledger.open(a);
  redisImage = await docker("inspect", "--format", "{{.Config.Image}}", ...(await containers("redis")));
  report("Two servers are up, each with two workers.");
}

async function watchLoan() {
  const guest = await under(a, ledger, borrow);
  report(`A loan: ${guest} of server-b works for server-a.`);
  await atRest();
  report("It has returned, and all tasks are done.");
}

async function killUnderLoad() {
  await under(a, ledger, async () => {
    await kill("Redis", (await containers("redis"))[0]);
    await kill("A borrowed worker", await containerOf(await borrow()));
    await kill("server-a", (await containers("server-a"))[0]);
  });
  await atRest();
  report("All tasks are done, and all workers at home.");
}

async function kill(what, container) {
  await crash(container, redisImage);
  const { accepted } = ledger;
  await until(`the engine restarts ${container}`, () => restarts(container), (count) => count > 0, ended.signal);
  await until("tasks are accepted again", () => ledger.accepted, (count) => count >= accepted + 100, ended.signal);
  report(`${what} was killed under load; the engine has restarted it, and ${ledger.accepted - accepted} more tasks are accepted.`);
}

async function compareBalances() {
  for (const server of [a, b]) {
    const wrong = (await ledger.compare(server)).filter(({ expected, actual }) => expected !== actual);
    if (wrong.length > 0) throw new Error(`Balances are wrong: ${JSON.stringify(wrong)}`);
  }
  const { done, dead } = await a.ask("/status");
  if (done !== ledger.accepted || dead > 0) throw new Error(`${ledger.accepted} tasks were accepted, ${done} are done and ${dead} dead.`);
  report(`Balances are exact: ${ledger.accepted} updates accepted, ${done} done, ${ledger.repeated} submissions repeated.`);
}

/** Waits until server-a has borrowed a worker of server-b, and returns its id. */
async function borrow() {
  const guestOf = ({ workers, loans }) => workers.find(({ id, home }) => home === b.id && loans.some(({ worker }) => worker === id));
  return guestOf(await a.status("a guest works here", guestOf)).id;
}

/** The container of a worker, found by the id in its log. */
async function containerOf(worker) {
  for (const container of await containers("workers-b")) {
    if ((await docker("logs", container)).includes(worker)) return container;
  }
  throw new Error(`${worker} is in no container's log.`);
}

async function atRest() {
  for (const server of [a, b]) {
    await server.status("nothing to do, two workers idle at home", ({ queue, running, loans, workers, peers }) =>
      queue === 0 && running === 0 && loans.length === 0 && peers.every(({ alive }) => alive)
      && workers.length === 2 && workers.every(({ home, state }) => home === server.id && state === "idle"));
  }
}

async function freePort() {
  const listener = createServer().listen(0, "127.0.0.1");
  await once(listener, "listening");
  const { port } = listener.address();
  await new Promise((closed) => listener.close(closed));
  return port;
}
