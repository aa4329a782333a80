/** The Helm chart: the manifests that it renders from several sets of values, and the values that it refuses. */

import { deepStrictEqual, match, notStrictEqual, ok, strictEqual } from "node:assert/strict";
import { parseAllDocuments } from "yaml";
import { withVariables } from "../../scripts/chart_schema.ts";
import { call, type DeployTool, findTool } from "../../scripts/deploy_tools.ts";
import { configOf, longestEnd } from "./settings_of.ts";

const CHART = new URL("../../deploy/helm/nats-s3", import.meta.url).pathname;
// deno-lint-ignore no-console
const helm = await findTool("helm", console.log);

/** A part of a YAML document; each test checks its shape while using it. */
// deno-lint-ignore no-explicit-any
type Manifest = any;

const SECRET = { values: { NATS_S3_NATS_USER: "u", NATS_S3_NATS_PASSWORD: 'p"\\ $(x): {' } };
const PEERS = [{ namespaceSelector: {} }];

/** Sets of values that must work, by a description. */
const SETS: Readonly<Record<string, Record<string, unknown>>> = {
  "an existing secret": { secret: { existing: "mine" } },
  "a made secret": { secret: SECRET },
  "all parts": {
    secret: {
      values: {
        ...SECRET.values,
        NATS_S3_CREDENTIALS: '{"credentials":[{"accessKey":"a-key","secretKey":"s-key"}]}',
      },
    },
    nats: { servers: ["nats://a:4222", "tls://b:4222"] },
    config: {
      NATS_S3_REPLICAS: 1,
      NATS_S3_BUCKET_QUOTA: "10GiB",
      NATS_S3_ENCRYPTION_AT_REST: true,
    },
    drain: { delaySeconds: 10, timeoutSeconds: 120 },
    image: { digest: `sha256:${"0".repeat(64)}` },
    imagePullSecrets: [{ name: "pull" }],
    autoscaling: { enabled: true },
    ingress: {
      enabled: true,
      className: "nginx",
      hosts: ["s3.example.com", "*.s3.example.com"],
      tlsSecret: "tls",
    },
    networkPolicy: {
      enabled: true,
      from: PEERS,
      metricsFrom: PEERS,
      natsTo: PEERS,
      extraEgress: [{ ports: [{ protocol: "TCP", port: 4318 }] }],
    },
    serviceMonitor: { enabled: true, labels: { release: "prometheus" } },
    podAnnotations: { a: "b" },
    podLabels: { c: "d" },
    nodeSelector: { disk: "ssd" },
    tolerations: [{ operator: "Exists" }],
    priorityClassName: "high",
    extraEnv: [{ name: "OTEL_RESOURCE_ATTRIBUTES", value: "a=b" }],
    topologySpreadConstraints: [{
      maxSkew: 1,
      topologyKey: "zone",
      whenUnsatisfiable: "DoNotSchedule",
    }],
  },
  "as little as possible": {
    secret: { existing: "mine" },
    podDisruptionBudget: { enabled: false },
    serviceAccount: { create: false },
  },
};

/** Values that must be refused, and the reason. */
const REFUSED: readonly (readonly [values: Record<string, unknown>, reason: RegExp])[] = [
  [{}, /There are no S3 credentials/],
  [{ secret: { existing: "mine", values: SECRET.values } }, /Cannot use both/],
  [
    { secret: { existing: "mine" }, config: { NATS_S3_REPLICA: "3" } },
    /invalid propertyName 'NATS_S3_REPLICA'/,
  ],
  [
    { secret: { existing: "mine" }, config: { NATS_S3_NATS_PASSWORD: "in clear" } },
    /invalid propertyName/,
  ],
  [
    { secret: { existing: "mine" }, config: { NATS_S3_LISTEN: "0.0.0.0:1" } },
    /invalid propertyName/,
  ],
  [{ secret: { values: { NATS_S3_CREDENTIALS_FILE: "/run/secrets/a" } } }, /invalid propertyName/],
  [{ secret: { existing: "mine" }, replicas: 3 }, /replicas/],
  [{ secret: { existing: "mine" }, nats: { servers: ["nats://u:p@nats:4222"] } }, /servers/],
];

async function withValues<T>(
  values: Record<string, unknown>,
  use: (path: string) => Promise<T>,
): Promise<T> {
  const path = await Deno.makeTempFile({ suffix: ".json" });
  try {
    await Deno.writeTextFile(path, JSON.stringify(values));
    return await use(path);
  } finally {
    await Deno.remove(path);
  }
}

function template(helm: DeployTool, values: Record<string, unknown>): ReturnType<typeof call> {
  return withValues(values, (path) =>
    call(helm, [
      ...["template", "first", CHART, "--namespace", "s3", "--kube-version", "1.31.0"],
      ...["--values", path],
    ]));
}

async function render(values: Record<string, unknown>): Promise<Manifest[]> {
  if (helm === undefined) throw new TypeError("helm was not found");
  const { code, stdout, stderr } = await template(helm, values);
  strictEqual(code, 0, stderr);
  return parseAllDocuments(stdout).flatMap((document) => {
    deepStrictEqual(document.errors, [], stdout);
    return document.toJS() ?? [];
  });
}

function one(manifests: readonly Manifest[], kind: string): Manifest {
  const found = manifests.filter((manifest) => manifest.kind === kind);
  strictEqual(found.length, 1, `${found.length} of ${kind}`);
  return found[0];
}

/** Returns the environment that a pod ends up with, including the chart's own secret. */
function environmentOf(manifests: readonly Manifest[]): Record<string, string> {
  const [container] = one(manifests, "Deployment").spec.template.spec.containers;
  const secret = manifests.find(({ kind }) => kind === "Secret");
  const env: readonly { name: string; value: unknown }[] = container.env;
  for (const { name, value } of env) strictEqual(typeof value, "string", name);
  strictEqual(new Set(env.map(({ name }) => name)).size, env.length, "a variable occurs twice");
  const given = Object.fromEntries(env.map(({ name, value }) => [name, value as string]));
  return { ...(secret?.stringData ?? SECRET.values), ...given };
}

Deno.test("the chart's schema holds the variables of the settings table", async () => {
  const schema = await Deno.readTextFile(`${CHART}/values.schema.json`);
  deepStrictEqual(
    JSON.parse(schema),
    JSON.parse(withVariables(schema)),
    "Run `deno run -A scripts/chart_schema.ts && deno fmt deploy`",
  );
});

for (const [about, values] of Object.entries(SETS)) {
  Deno.test({
    name: `helm: ${about}`,
    ignore: helm === undefined,
    async fn() {
      if (helm === undefined) return;
      const linted = await withValues(
        values,
        (path) =>
          call(helm, ["lint", "--strict", "--kube-version", "1.31.0", CHART, "--values", path]),
      );
      strictEqual(linted.code, 0, linted.stdout + linted.stderr);

      const manifests = await render(values);
      const { spec } = one(manifests, "Deployment");
      const pod = spec.template.spec;
      const [container] = pod.containers;

      // The settings make a valid gateway configuration.
      const config = configOf(environmentOf(manifests));
      ok(
        pod.terminationGracePeriodSeconds * 1000 > longestEnd(config),
        "the pod is killed too soon",
      );

      // Probes use the ports and paths that the gateway serves.
      const port = (name: string): number =>
        container.ports.find((port: Manifest) => port.name === name).containerPort;
      deepStrictEqual(config.admin, { hostname: "0.0.0.0", port: port("admin") });
      deepStrictEqual(config.listen, { hostname: "0.0.0.0", port: port("s3") });
      for (
        const [probe, path] of [["startup", "/livez"], ["liveness", "/livez"], [
          "readiness",
          "/readyz",
        ]]
      ) {
        deepStrictEqual(container[`${probe}Probe`].httpGet, { path, port: "admin" });
      }

      // The container has only the permissions that it needs.
      deepStrictEqual(container.securityContext, {
        allowPrivilegeEscalation: false,
        readOnlyRootFilesystem: true,
        capabilities: { drop: ["ALL"] },
      });
      strictEqual(pod.securityContext.runAsNonRoot, true);
      strictEqual(pod.securityContext.seccompProfile.type, "RuntimeDefault");
      strictEqual(pod.automountServiceAccountToken, false);
      strictEqual(pod.volumes, undefined);

      // Every selector matches these pods.
      const labels = spec.template.metadata.labels;
      for (const manifest of manifests) {
        strictEqual(manifest.metadata.name.startsWith("first-nats-s3"), true);
        const { kind } = manifest;
        const selector = kind === "Service"
          ? manifest.spec.selector
          : ["PodDisruptionBudget", "Deployment"].includes(kind)
          ? manifest.spec.selector.matchLabels
          : kind === "NetworkPolicy"
          ? manifest.spec.podSelector.matchLabels
          : {};
        for (const [name, value] of Object.entries(selector)) {
          strictEqual(labels[name], value, kind);
        }
        if (["Service", "PodDisruptionBudget", "NetworkPolicy"].includes(kind)) {
          notStrictEqual(Object.keys(selector).length, 0, kind);
        }
      }
    },
  });
}

Deno.test({
  name: "helm: the parts that are optional",
  ignore: helm === undefined,
  async fn() {
    const kinds = (manifests: readonly Manifest[]): string[] =>
      manifests.map(({ kind }) => kind).sort();
    const little = await render(SETS["as little as possible"] ?? {});
    deepStrictEqual(kinds(little), ["Deployment", "Service"]);
    strictEqual(one(little, "Deployment").spec.replicas, 2);
    strictEqual(one(little, "Deployment").spec.template.spec.serviceAccountName, "default");

    const all = await render(SETS["all parts"] ?? {});
    deepStrictEqual(kinds(all), [
      "Deployment",
      "HorizontalPodAutoscaler",
      "Ingress",
      "NetworkPolicy",
      "PodDisruptionBudget",
      "Secret",
      "Service",
      "Service",
      "ServiceAccount",
      "ServiceMonitor",
    ]);
    const deployment = one(all, "Deployment");
    strictEqual(
      deployment.spec.replicas,
      undefined,
      "a replica count would override the autoscaler",
    );
    match(deployment.spec.template.spec.containers[0].image, /^ghcr\.io\/[\w./-]+@sha256:0{64}$/);
    strictEqual(
      one(all, "HorizontalPodAutoscaler").spec.scaleTargetRef.name,
      deployment.metadata.name,
    );

    const { ports: [, ...others] } = one(all, "NetworkPolicy").spec.ingress[0];
    deepStrictEqual(others, []);
    deepStrictEqual(one(all, "Ingress").spec.tls, [{
      secretName: "tls",
      hosts: ["s3.example.com", "*.s3.example.com"],
    }]);

    // The monitor selects the metrics service, not the one for S3.
    const monitor = one(all, "ServiceMonitor").spec;
    const services = all.filter(({ kind }) => kind === "Service");
    const found = services.filter(({ metadata: { labels } }) =>
      Object.entries(monitor.selector.matchLabels).every(([name, value]) => labels[name] === value)
    );
    deepStrictEqual(found.map(({ spec }) => spec.ports[0].targetPort), ["admin"]);
    strictEqual(monitor.endpoints[0].path, "/metrics");
  },
});

Deno.test({
  name: "helm: secrets come whole, and other secrets make other pods",
  ignore: helm === undefined,
  async fn() {
    const checksum = (manifests: readonly Manifest[]): string =>
      one(manifests, "Deployment").spec.template.metadata.annotations["checksum/secret"];
    const before = await render({ secret: SECRET });
    deepStrictEqual(one(before, "Secret").stringData, SECRET.values);
    const after = await render({
      secret: { values: { ...SECRET.values, NATS_S3_NATS_PASSWORD: "b" } },
    });
    notStrictEqual(checksum(before), checksum(after));
  },
});

Deno.test({
  name: "helm: values that would not work are refused",
  ignore: helm === undefined,
  async fn() {
    for (const [values, reason] of REFUSED) {
      if (helm === undefined) return;
      const { code, stderr } = await template(helm, values);
      notStrictEqual(code, 0, JSON.stringify(values));
      match(stderr, reason);
    }
  },
});
