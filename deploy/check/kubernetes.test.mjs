import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { describe, test } from "node:test";
import { find, overlays, render, workloads } from "./render.mjs";
import { illTyped, invalid } from "./schema.mjs";
import { seconds, serverSettings, settingOf, workerSettings } from "./settings.mjs";

const own = "mesh-";
const flush = 10; // Seconds after Mesh__StopTimeout in which a server writes and a worker hands back its tasks.

const containers = (resources) => workloads(resources).flatMap((one) => one.spec.template.spec.containers.map((container) => ({ one, container })));
const nodes = (resources) => containers(resources).filter(({ container }) => container.image.startsWith(own));
const labelsOf = (workload) => workload.spec.template.metadata.labels;
const matches = (labels, { matchLabels = {}, matchExpressions = [] }) =>
  Object.entries(matchLabels).every(([key, value]) => labels[key] === value)
  && matchExpressions.every(({ key, operator, values }) => operator === "In" && values.includes(labels[key]));

/** The variables of a container: its own, and those of its ConfigMaps. */
function environment(resources, container) {
  const maps = (container.envFrom ?? []).map(({ configMapRef }) => find(resources, "ConfigMap", configMapRef.name).data);
  return new Map([...maps.flatMap(Object.entries), ...container.env.map(({ name, value }) => [name, value])]);
}

describe("The schemas", () => {
  test("detect an unknown key", () => {
    const [resource] = workloads(render("small"));
    resource.spec.template.spec.containers[0].readinesProbe = {};
    assert.match(illTyped([resource]).join("\n"), /readinesProbe/);
  });

  test("detect a value of the wrong type", () => {
    const [resource] = workloads(render("small"));
    resource.spec.template.spec.terminationGracePeriodSeconds = "soon";
    assert.match(invalid(resource), /terminationGracePeriodSeconds/);
  });
});

const kubectl = spawnSync("kubectl", ["version", "--client"]).status === 0;

for (const overlay of overlays) {
  describe(`Overlay ${overlay}`, () => {
    const resources = render(overlay);
    const server = find(resources, "StatefulSet", "mesh-server");

    test("conforms to the schemas", () => {
      assert.deepEqual(resources.map(invalid).filter(Boolean), []);
      assert.deepEqual(illTyped(resources), []);
    });

    test("is rendered identically by kubectl", { skip: kubectl ? false : "there is no kubectl on this machine" }, () => {
      assert.deepEqual(render(overlay, ["kubectl", "kustomize"]), resources);
    });

    test("is in one namespace", () => {
      const elsewhere = resources.filter(({ kind, metadata }) => kind !== "Namespace" && metadata.namespace !== "mesh");
      assert.deepEqual(elsewhere.map(({ metadata }) => metadata.name), []);
    });

    test("gives servers and workers only settings that they know", () => {
      for (const { one, container } of nodes(resources)) {
        const known = one.kind === "StatefulSet" ? serverSettings : workerSettings;
        const unknown = [...environment(resources, container).keys()].filter((name) => name.startsWith("Mesh__") && !known.has(settingOf(name)));
        assert.deepEqual(unknown, [], one.metadata.name);
      }
    });

    test("lets the servers find each other through their headless service, under the addresses that they advertise", () => {
      const told = environment(resources, server.spec.template.spec.containers[0]);
      const service = find(resources, "Service", told.get("Mesh__PeersFromDns__Name"));
      assert.equal(service.metadata.name, server.spec.serviceName);
      assert.equal(service.spec.clusterIP, "None");
      // A server that waits for its Redis stays a peer.
      assert.equal(service.spec.publishNotReadyAddresses, true);
      assert.ok(matches(labelsOf(server), { matchLabels: service.spec.selector }));
      // A pod has the name <pod>.<service>, and its id is the name of the pod.
      const id = server.spec.template.spec.containers[0].env.find(({ name }) => name === "Mesh__ServerId");
      assert.equal(id.valueFrom.fieldRef.fieldPath, "metadata.name");
      assert.equal(told.get("Mesh__Advertise"), `$(Mesh__ServerId).${service.metadata.name}:${told.get("Mesh__PeersFromDns__Port")}`);
      // Adoption of a server that stays down begins before it is no longer a peer.
      const setting = (name) => seconds(told.get(name) ?? serverSettings.get(name));
      assert.ok(setting("Mesh__PeersFromDns__RemoveAfter") > setting("Mesh__Adoption__After"));
    });

    test("gives each server workers whose home it is", () => {
      const homes = resources.filter(({ kind }) => kind === "Deployment").map((farm) => {
        const told = environment(resources, farm.spec.template.spec.containers[0]);
        assert.equal(told.get("Mesh__HomeServer__Endpoint"), `${told.get("Mesh__HomeServer__Id")}.mesh-servers:8080`);
        return told.get("Mesh__HomeServer__Id");
      });
      assert.deepEqual(homes.sort(), Array.from({ length: server.spec.replicas }, (_, index) => `mesh-server-${index}`));
    });

    test("has grace periods longer than the stop timeouts", () => {
      for (const { one, container } of nodes(resources)) {
        const limit = seconds(environment(resources, container).get("Mesh__StopTimeout")) + flush;
        assert.ok(one.spec.template.spec.terminationGracePeriodSeconds > limit, `${one.metadata.name}: grace within ${limit} s`);
      }
    });

    test("has probes for servers and limits for all containers", () => {
      const [container] = server.spec.template.spec.containers;
      assert.equal(container.readinessProbe.httpGet.path, "/health");
      // A server answers /alive while it waits for the lease of its predecessor or for Redis.
      assert.equal(container.startupProbe.httpGet.path, "/alive");
      assert.equal(container.livenessProbe.httpGet.path, "/alive");
      for (const { container: { name, resources: { requests, limits } } } of containers(resources)) {
        assert.ok(requests.cpu && requests.memory && limits.cpu && limits.memory, name);
      }
    });

    test("runs no container as root or with privilege escalation", () => {
      for (const { one, container } of containers(resources)) {
        const pod = one.spec.template.spec;
        assert.equal(pod.automountServiceAccountToken, false);
        assert.equal(pod.securityContext.runAsNonRoot, true);
        assert.ok(pod.securityContext.runAsUser > 0);
        assert.equal(pod.securityContext.seccompProfile.type, "RuntimeDefault");
        assert.deepEqual(container.securityContext, {
          allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, capabilities: { drop: ["ALL"] },
        }, one.metadata.name);
      }
    });

    test("names a version for each image", () => {
      for (const { container } of containers(resources)) assert.match(container.image, /:\d+\.\d+/);
    });

    test("keeps secrets in one Secret", () => {
      const [secret, ...others] = resources.filter(({ kind }) => kind === "Secret");
      assert.deepEqual([others, Object.keys(secret.data).sort()], [[], ["redis-password", "token"]]);
      assert.doesNotMatch(JSON.stringify(resources.filter((one) => one !== secret)), /made-up/);
      for (const { container } of containers(resources)) {
        const keys = container.env.flatMap(({ valueFrom }) => valueFrom?.secretKeyRef ?? []);
        assert.ok(keys.length > 0 && keys.every(({ name, key }) => name === secret.metadata.name && key in secret.data), container.name);
      }
    });

    test("selects existing pods", () => {
      const pods = workloads(resources).map(labelsOf);
      const selectors = [
        ...workloads(resources).map((one) => [one, one.spec.selector]),
        ...resources.filter(({ kind }) => kind === "Service").map((one) => [one, { matchLabels: one.spec.selector }]),
        ...resources.filter(({ kind }) => kind === "PodDisruptionBudget").map((one) => [one, one.spec.selector]),
        ...resources.filter(({ kind }) => kind === "NetworkPolicy").flatMap((one) =>
          [one.spec.podSelector, ...[...(one.spec.ingress ?? []), ...(one.spec.egress ?? [])]
            .flatMap(({ from = [], to = [] }) => [...from, ...to]).flatMap(({ podSelector }) => podSelector ?? [])].map((selector) => [one, selector])),
      ];
      for (const [one, selector] of selectors) {
        assert.ok(pods.some((labels) => matches(labels, selector)), `${one.kind} ${one.metadata.name} selects nothing`);
      }
      for (const one of workloads(resources)) {
        assert.equal(workloads(resources).filter((other) => matches(labelsOf(other), one.spec.selector)).length, 1, `${one.metadata.name} selects another's pods`);
      }
    });

    test("keeps the data of Redis", () => {
      const redis = find(resources, "StatefulSet", "mesh-redis");
      const [{ volumeMounts }] = redis.spec.template.spec.containers;
      assert.equal(volumeMounts.find(({ name }) => name === redis.spec.volumeClaimTemplates[0].metadata.name).mountPath, "/data");
      const config = find(resources, "ConfigMap", redis.spec.template.spec.volumes[0].configMap.name).data["redis.conf"];
      assert.match(config, /^dir \/data$/m);
      assert.match(config, /^appendonly yes$/m);
      assert.match(config, /^maxmemory-policy noeviction$/m);
    });

    test("scales workers by the queue of their home server", () => {
      const scaled = resources.filter(({ kind }) => kind === "ScaledObject");
      assert.equal(scaled.length, overlay === "scale" ? server.spec.replicas : 0);
      for (const { metadata, spec } of scaled) {
        const farm = find(resources, "Deployment", spec.scaleTargetRef.name);
        assert.equal(farm.spec.replicas, undefined, "KEDA sets the replicas");
        const home = environment(resources, farm.spec.template.spec.containers[0]).get("Mesh__HomeServer__Id");
        const [{ type, metadata: trigger, authenticationRef }] = spec.triggers;
        assert.equal(type, "metrics-api");
        assert.equal(trigger.url, `http://${home}.mesh-servers.${metadata.namespace}.svc.cluster.local:8080/status`);
        assert.equal(trigger.valueLocation, "queue");
        assert.equal(trigger.authMode, "bearer");
        const [token] = find(resources, "TriggerAuthentication", authenticationRef.name).spec.secretTargetRef;
        assert.deepEqual([token.parameter, find(resources, "Secret", token.name).data[token.key]], ["token", btoa("made-up-token")]);
      }
    });
  });
}
