// Reads the settings of a server and of a worker from the tables of docs/operations.md. SettingsTableTests compares these tables with the code.
import { readFileSync } from "node:fs";

const text = readFileSync(new URL("../../docs/operations.md", import.meta.url), "utf8");

export const serverSettings = tableUnder("### A server's");
export const workerSettings = tableUnder("### A worker's");

/** The name of a setting as in the tables, where the index of a list is 0. */
export const settingOf = (variable) => variable.replace(/__\d+/g, "__0");

/** The time of a setting, in seconds. */
export const seconds = (time) => time.split(":").reduce((total, part) => total * 60 + Number(part), 0);

function tableUnder(heading) {
  const section = text.split(`\n${heading}`)[1]?.split("\n#")[0] ?? "";
  const rows = [...section.matchAll(/^\| `(\w+)` \| `?([^`|]*?)`? \|/gm)].map(([, name, value]) => [name, value]);
  if (rows.length === 0) throw new Error(`docs/operations.md has no table under "${heading}".`);
  return new Map(rows);
}
