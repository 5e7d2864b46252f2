// The settings of a server and of a worker, from the tables of docs/operations.md, which a test of the solution holds to the code.
import { readFileSync } from "node:fs";

const text = readFileSync(new URL("../../docs/operations.md", import.meta.url), "utf8");

export const serverSettings = tableUnder("### A server's");
export const workerSettings = tableUnder("### A worker's");

/** The name of a setting as the tables have it: any number of a list is 0 there. */
export const settingOf = (variable) => variable.replace(/__\d+/g, "__0");

/** A setting's time, in seconds; of one that is not set, its default. */
export const seconds = (time) => time.split(":").reduce((total, part) => total * 60 + Number(part), 0);

function tableUnder(heading) {
  const section = text.split(`\n${heading}`)[1]?.split("\n#")[0] ?? "";
  const rows = [...section.matchAll(/^\| `(\w+)` \| `?([^`|]*?)`? \|/gm)].map(([, name, value]) => [name, value]);
  if (rows.length === 0) throw new Error(`docs/operations.md has no table under "${heading}".`);
  return new Map(rows);
}
