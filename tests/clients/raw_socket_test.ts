/** Requests that only a bare socket can send: odd framing, truncated bodies, disconnects, unfolded targets. */

import { deepStrictEqual, match, ok, strictEqual } from "node:assert/strict";
import { connect, type NatsConnection } from "@nats-io/transport-node";
import { someBytes, subjectsOfStream } from "../nats/store_on_server.ts";
import { type GatewayProcess, startGateway } from "./gateway_process.ts";
import { RawConnection, type RawResponse } from "./raw_http.ts";
import { ask, demand, type Request, requestText } from "./signed_request.ts";

/** Starts a gateway with the bucket `raw`, and a native connection to inspect its stream. */
async function startRaw(): Promise<
  AsyncDisposable & { readonly gateway: GatewayProcess; readonly connection: NatsConnection }
> {
  const gateway = await startGateway();
  const connection = await connect({ servers: gateway.server.url });
  await demand(gateway, 200, { method: "PUT", path: "/raw" });
  return {
    gateway,
    connection,
    async [Symbol.asyncDispose]() {
      await connection.close();
      await gateway[Symbol.asyncDispose]();
    },
  };
}

/** Counts the chunk messages and the metadata messages in the bucket's stream. */
async function countMessages(
  connection: NatsConnection,
): Promise<{ readonly chunks: number; readonly infos: number }> {
  const subjects = Object.entries(await subjectsOfStream(connection, "OBJ_raw"));
  const count = (prefix: string): number =>
    subjects.filter(([subject]) => subject.startsWith(prefix)).reduce((sum, [, n]) => sum + n, 0);
  return { chunks: count("$O.raw.C."), infos: count("$O.raw.M.") };
}

/** Waits until `check` passes; on timeout throws its last error. */
async function eventually(check: () => Promise<void>, timeout = 10_000): Promise<void> {
  const deadline = Date.now() + timeout;
  for (;;) {
    try {
      return await check();
    } catch (cause) {
      if (Date.now() > deadline) throw cause;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
}

/** Frames bytes for Transfer-Encoding: chunked, in pieces of odd sizes. */
function chunkedPieces(bytes: Uint8Array): (string | Uint8Array)[] {
  const pieces: (string | Uint8Array)[] = [];
  for (let at = 0, size = 1; at < bytes.length; at += size, size = (size * 7) % 70_001 + 1) {
    const piece = bytes.subarray(at, at + size);
    pieces.push(`${piece.length.toString(16)}\r\n`, piece, "\r\n");
  }
  return pieces;
}

Deno.test("Transfer-Encoding: chunked with Expect: 100-continue", async () => {
  await using raw = await startRaw();
  const { gateway } = raw;
  for (const size of [0, 1, 1_000_003]) {
    const bytes = someBytes(size);
    using client = await RawConnection.open(gateway.port);
    await client.send(requestText(gateway, {
      method: "PUT",
      path: "/raw/chunked",
      headers: { "transfer-encoding": "chunked", "expect": "100-continue" },
    }));
    strictEqual((await client.receive()).status, 100);
    await client.send(...chunkedPieces(bytes), "0\r\n\r\n");
    strictEqual((await client.receive()).status, 200);
    // The connection is still usable.
    await client.send(requestText(gateway, { method: "HEAD", path: "/raw/chunked" }));
    const head = await client.receive(false);
    deepStrictEqual([head.status, head.headers.get("content-length")], [200, String(size)]);
    const back = await (await ask(gateway, { path: "/raw/chunked" })).bytes();
    deepStrictEqual(back, bytes);
  }
});

Deno.test("Expect: 100-continue with a length, and a bad signature", async () => {
  await using raw = await startRaw();
  const { gateway } = raw;
  using client = await RawConnection.open(gateway.port);
  const text = requestText(gateway, {
    method: "PUT",
    path: "/raw/k",
    headers: { "content-length": "4", "expect": "100-continue" },
  });
  await client.send(text);
  strictEqual((await client.receive()).status, 100);
  await client.send("text");
  strictEqual((await client.receive()).status, 200);

  using intruder = await RawConnection.open(gateway.port);
  await intruder.send(text.replace(/Signature=[0-9a-f]{8}/, "Signature=00000000"));
  let response = await intruder.receive();
  // The runtime may ask for the body before the gateway sees the request.
  if (response.status === 100) response = await intruder.receive();
  strictEqual(response.status, 403);
  match(response.text, /<Code>SignatureDoesNotMatch<\/Code>/);
});

Deno.test("pipelined requests are answered in order", async () => {
  await using raw = await startRaw();
  const { gateway } = raw;
  using client = await RawConnection.open(gateway.port);
  const put = (key: string, body: string): string =>
    requestText(gateway, {
      method: "PUT",
      path: `/raw/${key}`,
      headers: { "content-length": String(body.length) },
    }) + body;
  const get = (key: string): string => requestText(gateway, { path: `/raw/${key}` });
  await client.send(
    put("a", "first") + get("a") + put("b", "second") + get("b") + get("none") + get("a"),
  );
  const answers: RawResponse[] = [];
  for (let i = 0; i < 6; i++) answers.push(await client.receive());
  deepStrictEqual(answers.map(({ status }) => status), [200, 200, 200, 200, 404, 200]);
  deepStrictEqual([1, 3, 5].map((i) => answers[i]?.text), ["first", "second", "first"]);
  match(answers[4]?.text ?? "", /<Code>NoSuchKey<\/Code>/);
});

const SIZE = 3 * 1024 * 1024;
const CUT_BODIES: Readonly<Record<string, Request["headers"]>> = {
  "of a stated length": { "content-length": String(SIZE) },
  "with its hash signed": {
    "content-length": String(SIZE),
    "x-amz-content-sha256": "0".repeat(64),
  },
  "in HTTP chunks": { "transfer-encoding": "chunked" },
  "in aws-chunks": {
    "content-length": String(SIZE + 100),
    "content-encoding": "aws-chunked",
    "x-amz-content-sha256": "STREAMING-UNSIGNED-PAYLOAD-TRAILER",
    "x-amz-decoded-content-length": String(SIZE),
    "x-amz-trailer": "x-amz-checksum-crc32",
  },
};

Deno.test("a body that is cut short stores nothing and leaves no chunk", async (t) => {
  await using raw = await startRaw();
  const { gateway, connection } = raw;
  await demand(gateway, 200, { method: "PUT", path: "/raw/kept", body: "kept" });
  const before = await countMessages(connection);
  strictEqual(before.chunks, 1);
  const upload = await demand(gateway, 200, {
    method: "POST",
    path: "/raw/parts",
    query: "uploads=",
  });
  const id = /<UploadId>([^<]+)</.exec(upload)?.[1] ?? "";

  for (const [name, headers] of Object.entries(CUT_BODIES)) {
    for (const target of ["/raw/kept", "/raw/new", `/raw/parts?partNumber=1&uploadId=${id}`]) {
      for (const goes of ["by FIN", "at once"]) {
        await t.step(`${name}, ${target.replace(id, "…")}, ${goes}`, async () => {
          const [path = "", query = ""] = target.split("?");
          using client = await RawConnection.open(gateway.port);
          await client.send(
            requestText(gateway, { method: "PUT", path, query, ...headers && { headers } }),
          );
          // More than one chunk of an object, and the beginning of the next.
          const frame = name.includes("chunks") ? `${SIZE.toString(16)}\r\n` : "";
          await client.send(frame, someBytes(2_500_000));
          await eventually(async () => {
            ok((await countMessages(connection)).chunks > before.chunks, "no chunk was begun");
          });
          if (goes === "by FIN") {
            await client.end();
            await client.drain();
          } else {
            client[Symbol.dispose]();
          }
          await eventually(async () => {
            deepStrictEqual(await countMessages(connection), before);
          });
        });
      }
    }
  }
  strictEqual(await demand(gateway, 200, { path: "/raw/kept" }), "kept");
  await demand(gateway, 404, { path: "/raw/new" });
  const parts = await demand(gateway, 200, { path: "/raw/parts", query: `uploadId=${id}` });
  ok(!parts.includes("<Part>"), parts);
});

Deno.test("bodies that are not what was promised are refused and leave nothing", async () => {
  await using raw = await startRaw();
  const { gateway, connection } = raw;
  const chunked = {
    "content-encoding": "aws-chunked",
    "x-amz-content-sha256": "STREAMING-UNSIGNED-PAYLOAD-TRAILER",
    "x-amz-trailer": "x-amz-checksum-crc32",
  };
  const bytes = "x".repeat(300_000);
  const framed = (end: string): string => `${bytes.length.toString(16)}\r\n${bytes}\r\n${end}`;
  const length = { "x-amz-decoded-content-length": String(bytes.length) };
  const cases: readonly (readonly [code: string, headers: Request["headers"], body: string])[] = [
    ["XAmzContentSHA256Mismatch", { "x-amz-content-sha256": "0".repeat(64) }, bytes],
    ["BadDigest", { "content-md5": "AAAAAAAAAAAAAAAAAAAAAA==" }, bytes],
    ["BadDigest", { "x-amz-checksum-sha256": "A".repeat(43) + "=" }, bytes],
    ["BadDigest", { ...chunked, ...length }, framed("0\r\nx-amz-checksum-crc32:AAAAAA==\r\n\r\n")],
    ["MalformedTrailerError", { ...chunked, ...length }, framed("0\r\n\r\n")],
    ["InvalidRequest", { ...chunked, ...length }, "zz\r\nxx\r\n0\r\n\r\n"],
    ["IncompleteBody", {
      ...chunked,
      "x-amz-decoded-content-length": "400000",
    }, framed("0\r\nx-amz-checksum-crc32:AAAAAA==\r\n\r\n")],
    ["MissingContentLength", chunked, framed("0\r\n\r\n")],
  ];
  for (const [code, headers, body] of cases) {
    const text = await demand(gateway, code === "MissingContentLength" ? 411 : 400, {
      method: "PUT",
      path: "/raw/k",
      ...headers && { headers },
      body,
    });
    match(text, new RegExp(`<Code>${code}</Code>`));
  }
  await demand(gateway, 404, { path: "/raw/k" });
  await eventually(async () => {
    deepStrictEqual(await countMessages(connection), { chunks: 0, infos: 0 });
  });
});

Deno.test("clients that leave in the middle of a GET take nothing with them", async () => {
  await using raw = await startRaw();
  const { gateway } = raw;
  const bytes = someBytes(24 * 1024 * 1024);
  await demand(gateway, 200, { method: "PUT", path: "/raw/big", body: bytes });
  // Together the clients have more in flight than the gateway reads ahead.
  for (let round = 0; round < 4; round++) {
    await Promise.all(Array.from({ length: 12 }, async (_, i) => {
      using client = await RawConnection.open(gateway.port);
      await client.send(requestText(gateway, { path: "/raw/big" }));
      await client.skip(100_000 * (i + 1));
    }));
  }
  const response = await ask(gateway, {
    path: "/raw/big",
    signal: AbortSignal.timeout(20_000),
  });
  strictEqual(response.status, 200);
  strictEqual((await response.bytes()).length, bytes.length);
});

Deno.test("a request cut short within its headers harms no one", async () => {
  await using raw = await startRaw();
  const { gateway } = raw;
  const text = requestText(gateway, { path: "/raw" });
  for (
    const piece of ["", "\r\n", "GET", text.slice(0, -20), "\0\xff\r\n\r\n", "GET / HTTP/9\r\n\r\n"]
  ) {
    using client = await RawConnection.open(gateway.port);
    await client.send(piece);
    await client.end();
    await client.drain();
  }
  await demand(gateway, 200, { path: "/raw" });
});

/** Keys as they are sent, and their meaning. */
const RAW_TARGETS: readonly (readonly [sent: string, key: string])[] = [
  ["a/../b", "a/../b"],
  ["a/%2e%2e/b", "a/../b"],
  ["..", ".."],
  ["%2E%2e", ".."],
  ["../../raw/x", "../../raw/x"],
  ["./x", "./x"],
  ["a//b", "a//b"],
  ["/leading", "/leading"],
  ["//", "//"],
  ["trailing/", "trailing/"],
  ["foo%2Fbar", "foo/bar"],
  ["foo%252Fbar", "foo%2Fbar"],
  ["plus+plus", "plus+plus"],
  ["a%20b", "a b"],
  ["%C3%A9", "é"],
  ["a;b:c@d!$&'()*,=", "a;b:c@d!$&'()*,="],
  ["%01%7F", "\x01\x7f"],
];

Deno.test("targets are taken as sent: dots, double slashes and escapes", async (t) => {
  await using raw = await startRaw();
  const { gateway } = raw;
  await demand(gateway, 200, { method: "PUT", path: "/other" });
  for (const [sent, key] of RAW_TARGETS) {
    await t.step(JSON.stringify(sent), async () => {
      using client = await RawConnection.open(gateway.port);
      await client.send(
        requestText(gateway, {
          method: "PUT",
          path: `/raw/${sent}`,
          headers: { "content-length": "4" },
        }),
        "text",
      );
      strictEqual((await client.receive()).status, 200);
      await client.send(requestText(gateway, { path: `/raw/${sent}` }));
      strictEqual((await client.receive()).text, "text");
      const listed = await demand(gateway, 200, { path: "/raw", query: "encoding-type=url" });
      const keys = [...listed.matchAll(/<Key>([^<]*)<\/Key>/g)].map(([, text = ""]) =>
        decodeURIComponent(text.replaceAll("+", " "))
      );
      deepStrictEqual(keys, [key]);
      await client.send(requestText(gateway, { method: "DELETE", path: `/raw/${sent}` }));
      strictEqual((await client.receive()).status, 204);
    });
  }
  await t.step("dots do not lead into another bucket", async () => {
    using client = await RawConnection.open(gateway.port);
    await client.send(requestText(gateway, { method: "DELETE", path: "/raw/../other" }));
    strictEqual((await client.receive()).status, 204);
    await demand(gateway, 200, { method: "HEAD", path: "/other" });
  });
});
