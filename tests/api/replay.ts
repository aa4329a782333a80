/**
 * Sends the requests of a tool and compares each answer.
 * @module
 */

import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import { contentMD5, type TestGateway } from "./test_gateway.ts";
import type { Step } from "./tool_requests.ts";

/** Sends the requests of one tool, and keeps what their answers name. */
class Replay {
  readonly #send: TestGateway["send"];
  readonly #known = new Map<string, string>();

  constructor({ send }: Pick<TestGateway, "send">) {
    this.#send = send;
  }

  /** Sends the request of a step and compares its answer. */
  async check(step: Step): Promise<void> {
    const { method, target, headers, body, has = {}, keeps, shows = "" } = step;
    const sent = body === undefined ? undefined : this.#fill(body);
    const response = await this.#send(method, this.#fill(target), {
      headers: { ...(sent !== undefined && integrityOf(sent, headers)), ...this.#filled(headers) },
      ...(sent !== undefined && { body: sent }),
    });
    const text = await response.text();
    for (const name of ["UploadId", "ETag"]) {
      const value = text.split(`<${name}>`)[1]?.split("<")[0];
      if (value !== undefined) this.#known.set(name, value);
    }
    const request = `${method} ${target}: ${text}`;
    const [, root] = /<([A-Za-z]+)/.exec(text) ?? [];
    const [, code] = /<Code>(\w+)<\/Code>/.exec(text) ?? [];
    const answer = root === "Error" ? code : root;
    const expected = { status: step.status, answer: step.answer };
    deepStrictEqual({ status: response.status, answer }, expected, request);
    ok(text.includes(this.#fill(shows)), request);
    for (const [name, value] of Object.entries(has)) {
      strictEqual(response.headers.get(name), this.#fill(value), `${name} of ${request}`);
    }
    if (keeps === undefined) return;
    const id = response.headers.get("x-amz-version-id");
    ok(id !== null, `no version id: ${request}`);
    this.#known.set(keeps, id);
  }

  #filled(headers: Step["headers"] = {}): Record<string, string> {
    return Object.fromEntries(
      Object.entries(headers).map(([name, value]) => [name, this.#fill(value)]),
    );
  }

  #fill(text: string): string {
    return text.replaceAll(/\{(\w+)\}/g, (_, name) => this.#known.get(name) ?? "");
  }
}

/** Returns the hash that goes with a body, unless the headers state a checksum. */
function integrityOf(body: string, headers: Step["headers"] = {}): Record<string, string> {
  const isStated = Object.keys(headers).some((name) => name.startsWith("x-amz-checksum-"));
  return isStated ? {} : { "content-md5": contentMD5(body) };
}

/** Sends the requests of a tool in their order; each must get the answer of its step. */
export async function replay(
  gateway: Pick<TestGateway, "send">,
  steps: readonly Step[],
): Promise<void> {
  const tool = new Replay(gateway);
  for (const step of steps) await tool.check(step);
}
