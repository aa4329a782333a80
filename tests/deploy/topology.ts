/**
 * The services of `deploy/compose/compose.yaml` as plain processes, with the original configuration files, commands and
 * environments, except for ports and folders.
 * @module
 */

import { parse } from "yaml";
import { bundle } from "../../scripts/build.ts";
import { call, type DeployTool } from "../../scripts/deploy_tools.ts";
import { findNatsServer } from "../../scripts/find_nats_server.ts";
import { freePort } from "../../scripts/nats_server.ts";
import { RunningCommand } from "../process/running_command.ts";
import { inImage, readDockerfile } from "./dockerfile.ts";

const FOLDER = new URL("../../deploy/compose", import.meta.url).pathname;

/** The fields of a service that tests use. */
export type Service = {
  readonly command?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly healthcheck?: { readonly test: readonly string[] };
  readonly stop_grace_period?: string;
  readonly image: string;
};

/**
 * Reads the compose file and fills in its variables.
 *
 * @throws Error for a variable without a value
 */
export async function readCompose(
  variables: Readonly<Record<string, string>>,
): Promise<Readonly<Record<string, Service>>> {
  const text = await Deno.readTextFile(`${FOLDER}/compose.yaml`);
  const filled = text.replaceAll(/\$\{(\w+)(?::\?[^}]*)?\}/g, (_, name: string) => {
    const value = variables[name];
    if (value === undefined) throw new Error(`env.example has no ${name}`);
    return value;
  });
  return parse(filled, { merge: true }).services;
}

/** Reads the variables that a newcomer copies to `.env`. */
export async function readEnvExample(): Promise<Readonly<Record<string, string>>> {
  const text = await Deno.readTextFile(`${FOLDER}/env.example`);
  return Object.fromEntries([...text.matchAll(/^(\w+)=(.*)$/gm)].map(([, k, v]) => [k, v]));
}

/** Maps each `host:port` of the compose network to a port of this machine. */
class Places {
  readonly #ports = new Map<string, number>();

  /** Returns the local port that stands for a service's port. */
  port(service: string, port: string | number): number {
    const name = `${service}:${port}`;
    const known = this.#ports.get(name) ?? freePort();
    this.#ports.set(name, known);
    return known;
  }

  /** Replaces the addresses of services in a text, and the addresses at which the service itself listens. */
  in(text: string, self: string): string {
    return text
      .replaceAll(/\b(nats-\d|gateway-\d):(\d+)( port (\d+))?/g, (_, host, port, check, admin) => {
        return `127.0.0.1:${this.port(host, port)}` +
          (check === undefined ? "" : ` port ${this.port(host, admin)}`);
      })
      .replaceAll(/\b(?:0\.0\.0\.0|127\.0\.0\.1):(\d{4})\b/g, (_, port) => {
        return `127.0.0.1:${this.port(self, port)}`;
      })
      .replaceAll(/\bbind :(\d+)/g, (_, port) => `bind 127.0.0.1:${this.port(self, port)}`);
  }
}

/** The running services. */
export type Topology = AsyncDisposable & {
  readonly services: ReadonlyMap<string, RunningCommand>;
  readonly variables: Readonly<Record<string, string>>;
  /** Returns the URL at which a service listens. */
  readonly url: (service: string, port: number) => string;
  /** Returns whether the service's health check passes. */
  readonly isHealthy: (service: string) => Promise<boolean>;
};

/** Starts the services and resolves once all are healthy; starts the proxy only if HAProxy is given. */
export async function startTopology(haproxy?: DeployTool): Promise<Topology> {
  const folder = await Deno.makeTempDir({ prefix: "topology-" });
  const variables = await readEnvExample();
  const compose = await readCompose(variables);
  const dockerfile = await readDockerfile();
  const places = new Places();
  const services = new Map<string, RunningCommand>();
  const started: AsyncDisposable[] = [];
  const natsServer = await findNatsServer();
  const file = await bundle(`${folder}/nats-s3.js`);

  const gatewayEnv = (name: string): Record<string, string> => {
    const env = compose[name]?.environment ?? {};
    return {
      ...dockerfile.env,
      ...Object.fromEntries(Object.entries(env).map(([k, v]) => [k, places.in(`${v}`, name)])),
    };
  };
  const isHealthy = async (name: string): Promise<boolean> => {
    const test = compose[name]?.healthcheck?.test;
    if (test === undefined) {
      return (await inImage(dockerfile.health, file, gatewayEnv(name)).output()).success;
    }
    const url = places.in(test.at(-1) ?? "", name);
    return await fetch(url, { signal: AbortSignal.timeout(2000) })
      .then(async (response) => (await response.body?.cancel(), response.ok), () => false);
  };
  const configured = async (name: string, file: string): Promise<string> => {
    const text = await Deno.readTextFile(`${FOLDER}/${file}`);
    const path = `${folder}/${name}.conf`;
    await Deno.writeTextFile(path, places.in(text, name).replace("/data", `${folder}/${name}`));
    return path;
  };
  const start = (name: string, command: Deno.Command): void => {
    const running = new RunningCommand(command.spawn());
    services.set(name, running);
    started.push(running);
  };
  const healthy = async (names: readonly string[]): Promise<void> => {
    const deadline = Date.now() + 60_000;
    for (const name of names) {
      while (!await isHealthy(name)) {
        if (Date.now() > deadline) {
          throw new Error(`${name} is not healthy:\n${services.get(name)?.output}`);
        }
        await new Promise((resolve) => setTimeout(resolve, 200));
      }
    }
  };
  const topology: Topology = {
    services,
    variables,
    url: (service, port) => `http://127.0.0.1:${places.port(service, port)}`,
    isHealthy,
    async [Symbol.asyncDispose]() {
      for (const service of started.reverse()) await service[Symbol.asyncDispose]();
      await Deno.remove(folder, { recursive: true });
    },
  };
  try {
    const names = Object.keys(compose);
    const servers = names.filter((name) => name.startsWith("nats-"));
    const gateways = names.filter((name) => name.startsWith("gateway-"));
    for (const name of servers) {
      const { command = [], environment = {} } = compose[name] ?? {};
      const path = await configured(name, "nats.conf");
      const args = command.map((word) => word === "/etc/nats/nats.conf" ? path : word);
      const pipes = { stdin: "null", stdout: "piped", stderr: "piped" } as const;
      start(
        name,
        new Deno.Command(natsServer.path, { args, clearEnv: true, env: environment, ...pipes }),
      );
    }
    await healthy(servers);
    for (const name of gateways) {
      const words = [...dockerfile.entrypoint, ...dockerfile.command];
      start(name, inImage(words, file, gatewayEnv(name)));
    }
    await healthy(gateways);
    if (haproxy !== undefined) {
      const path = await configured("proxy", "haproxy.cfg");
      const checked = await call(haproxy, ["-c", "-f", path]);
      if (checked.code !== 0) throw new Error(`HAProxy refuses haproxy.cfg: ${checked.stderr}`);
      start(
        "proxy",
        new Deno.Command(haproxy.path, {
          args: ["-W", "-db", "-f", path],
          env: haproxy.env,
          ...{ stdin: "null", stdout: "piped", stderr: "piped" },
        }),
      );
      await healthy(["proxy"]);
    }
    return topology;
  } catch (cause) {
    await topology[Symbol.asyncDispose]();
    throw cause;
  }
}
