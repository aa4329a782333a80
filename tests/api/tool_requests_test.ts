/** Replays the requests that tools make, from the lists in `tool_requests.ts`. */

import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import { contentMD5, createTestGateway, type TestGateway } from "./test_gateway.ts";
import { type Step, TOOLS } from "./tool_requests.ts";

/** Sends the requests of one tool, and keeps what their answers name. */
class Replay {
  readonly #gateway: TestGateway;
  readonly #known = new Map<string, string>();

  constructor(gateway: TestGateway) {
    this.#gateway = gateway;
  }

  /** Sends the request of a step and returns its answer in the step's words. */
  async send(
    { method, target, headers, body }: Step,
  ): Promise<{ status: number; answer: string | undefined; text: string }> {
    const sent = body === undefined ? undefined : this.#fill(body);
    const response = await this.#gateway.send(method, this.#fill(target), {
      headers: { ...headers, ...(sent !== undefined && { "content-md5": contentMD5(sent) }) },
      ...(sent !== undefined && { body: sent }),
    });
    const text = await response.text();
    for (const name of ["UploadId", "ETag"]) {
      const value = text.split(`<${name}>`)[1]?.split("<")[0];
      if (value !== undefined) this.#known.set(name, value);
    }
    const [, root] = /<([A-Za-z]+)/.exec(text) ?? [];
    const [, code] = /<Code>(\w+)<\/Code>/.exec(text) ?? [];
    return { status: response.status, answer: root === "Error" ? code : root, text };
  }

  #fill(text: string): string {
    return text.replaceAll(/\{(\w+)\}/g, (_, name) => this.#known.get(name) ?? "");
  }
}

for (const [tool, steps] of Object.entries(TOOLS)) {
  Deno.test(`${tool}: every request gets Amazon's answer`, async () => {
    const replay = new Replay(await createTestGateway());
    for (const step of steps) {
      const { status, answer, text } = await replay.send(step);
      const request = `${step.method} ${step.target}`;
      const expected = { status: step.status, answer: step.answer };
      deepStrictEqual({ status, answer }, expected, `${request}: ${text}`);
      ok(text.includes(step.shows ?? ""), `${request}: ${text}`);
    }
  });
}

Deno.test("the lists of requests name no operation that the gateway does not know", () => {
  const all = Object.values(TOOLS).flat();
  strictEqual(all.length > 100, true);
  deepStrictEqual(all.filter(({ status }) => status === 501), []);
});
