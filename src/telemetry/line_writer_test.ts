import { deepStrictEqual, match, strictEqual } from "node:assert/strict";
import { LineWriter, type Output } from "./line_writer.ts";

/** An output that accepts some bytes at a time, and none while it is held. */
class SlowOutput implements Output {
  text = "";
  writes = 0;
  #held: PromiseWithResolvers<void> | undefined;
  readonly #max: number;

  constructor(max = Infinity) {
    this.#max = max;
  }

  hold(): void {
    this.#held = Promise.withResolvers();
  }

  release(): void {
    this.#held?.resolve();
    this.#held = undefined;
  }

  async write(bytes: Uint8Array): Promise<number> {
    await this.#held?.promise;
    this.writes++;
    const taken = bytes.subarray(0, this.#max);
    this.text += new TextDecoder().decode(taken);
    return taken.length;
  }
}

Deno.test("LineWriter writes lines in order, and lines that may wait together", async () => {
  const output = new SlowOutput();
  const writer = new LineWriter(output);
  for (const line of ["a", "b", "c"]) writer.add(line, true);
  strictEqual(output.text, "");
  await writer.flush(1000);
  deepStrictEqual([output.text, output.writes], ["a\nb\nc\n", 1]);
  writer.add("d", true);
  await new Promise((resolve) => setTimeout(resolve, 150));
  strictEqual(output.text, "a\nb\nc\nd\n");
});

Deno.test("LineWriter immediately writes a line that may not wait, after the lines before it", async () => {
  const output = new SlowOutput();
  const writer = new LineWriter(output, { delay: 60_000 });
  writer.add("a", true);
  writer.add("b");
  await new Promise((resolve) => setTimeout(resolve, 10));
  strictEqual(output.text, "a\nb\n");
});

Deno.test("LineWriter writes when 64 KiB wait, and then waits again", async () => {
  const output = new SlowOutput();
  const writer = new LineWriter(output, { delay: 60_000 });
  const line = "x".repeat(1023);
  for (let i = 0; i < 64; i++) writer.add(line, true);
  writer.add(line, true); // while other lines are being written
  await new Promise((resolve) => setTimeout(resolve, 10));
  strictEqual(output.text.length, 65_536);
  await writer.flush(1000);
  strictEqual(output.text.length, 65 * 1024);
});

Deno.test("LineWriter continues where the output accepts only a part", async () => {
  const output = new SlowOutput(3);
  const writer = new LineWriter(output);
  writer.add("a line of many bytes");
  await writer.flush(1000);
  strictEqual(output.text, "a line of many bytes\n");
});

Deno.test("LineWriter drops lines while the output is stalled and the buffer is full, and reports it", async () => {
  const output = new SlowOutput();
  const writer = new LineWriter(output, {
    limit: 100,
    formatDropped: (lines) => `${lines} lines were dropped`,
  });
  output.hold();
  for (let i = 0; i < 1000; i++) writer.add(`line ${i}`);
  await writer.flush(10); // times out
  strictEqual(output.text, "");
  const kept = 1000 - writer.dropped;
  match(`${kept}`, /^1[0-9]$/);
  output.release();
  await writer.flush(1000);
  const lines = output.text.trimEnd().split("\n");
  strictEqual(lines.length, kept + 1);
  strictEqual(lines.at(-1), `${1000 - kept} lines were dropped`);
  writer.add("after");
  await writer.flush(1000);
  match(output.text, /dropped\nafter\n$/);
});

Deno.test("LineWriter survives a closed output", async () => {
  const writer = new LineWriter({ write: () => Promise.reject(new Deno.errors.BrokenPipe()) });
  writer.add("a");
  await writer.flush(1000);
  writer.add("b");
  await writer.flush(1000);
  strictEqual(writer.dropped, 2);
});
