// Checks against the schemas of Kubernetes and KEDA in two forms: types detect unknown keys, validators detect invalid values that the types allow.
import { createRequire } from "node:module";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import ts from "typescript";

const require = createRequire(import.meta.url);

const moduleOf = ({ apiVersion }) => (apiVersion.startsWith("keda.sh/") ? "@kubernetes-models/keda/" : "kubernetes-models/") + apiVersion;

/** The errors that the validators find in a resource; undefined when there are none. */
export function invalid(resource) {
  const Model = require(moduleOf(resource))[resource.kind];
  if (!Model) return `${moduleOf(resource)} has no ${resource.kind}`;
  try {
    new Model(resource).validate();
  } catch (error) {
    return error.message;
  }
}

/** The errors that a compiler finds in the resources as values of their types. */
export function illTyped(resources) {
  // The file is in this directory, so that the compiler finds the packages.
  const directory = mkdtempSync(join(import.meta.dirname, "node_modules", ".rendered-"));
  try {
    const file = join(directory, "resources.ts");
    writeFileSync(file, resources.map((resource, index) =>
      `import type { I${resource.kind} as T${index} } from "${moduleOf(resource)}";\nexport const r${index}: T${index} = ${JSON.stringify(resource)};\n`).join(""));
    const program = ts.createProgram([file], {
      noEmit: true, strict: true, skipLibCheck: true, types: [], module: ts.ModuleKind.CommonJS, moduleResolution: ts.ModuleResolutionKind.Node10,
    });
    return ts.getPreEmitDiagnostics(program).map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, "\n"));
  } finally {
    rmSync(directory, { recursive: true });
  }
}
