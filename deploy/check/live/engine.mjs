// Runs commands of the container engine and of Compose, which is a plugin of the docker client or the program docker-compose.
import { execFile } from "node:child_process";
import { promisify } from "node:util";

const execute = promisify(execFile);
const root = new URL("../../..", import.meta.url).pathname;

/** Runs a program in the repository's root and returns what it writes to standard output, trimmed. */
export async function run(program, args, { environment = {}, ...options } = {}) {
  const { stdout } = await execute(program, args, { cwd: root, env: { ...process.env, ...environment }, maxBuffer: 64 * 1024 * 1024, ...options });
  return stdout.trim();
}

export const docker = (...args) => run("docker", args);

/** The version of the engine. Throws where none answers. */
export const engineVersion = () => run("docker", ["version", "--format", "{{.Server.Version}}"], { timeout: 15_000 });

/** The command of Compose on this machine, and its version. Throws where there is none. */
export async function findCompose() {
  for (const [program, ...args] of [["docker", "compose"], ["docker-compose"]]) {
    try {
      return { command: [program, ...args], version: await run(program, [...args, "version", "--short"]) };
    } catch {
      // The command does not exist; the next one is tried.
    }
  }
  throw new Error("neither docker compose nor docker-compose is installed");
}

/**
 * Kills a container's first process, as a crash does, so that its restart policy applies. After "docker kill" it would not: the engine takes that for a stop by hand. The first
 * process cannot be killed from inside the container either, so a second container does it, which sees the engine's processes.
 */
export async function crash(container, image) {
  const process = await docker("inspect", "--format", "{{.State.Pid}}", container);
  await docker("run", "--rm", "--pid", "host", "--network", "none", "--user", "0", "--entrypoint", "/bin/sh", image, "-c", `kill -KILL ${process}`);
}

/** How often the engine has restarted a container, which runs now; undefined while it does not. */
export async function restarts(container) {
  const [running, count] = (await docker("inspect", "--format", "{{.State.Running}} {{.RestartCount}}", container)).split(" ");
  return running === "true" ? Number(count) : undefined;
}
