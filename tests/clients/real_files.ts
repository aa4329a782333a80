/**
 * Files and folder trees that clients upload and download.
 * @module
 */

import { Buffer } from "node:buffer";
import { randomFillSync } from "node:crypto";
import { ok } from "node:assert/strict";

const BLOCK = 1024 * 1024;

/** Writes a file of random bytes, which cannot be compressed; creates its parent folders. */
export async function writeRandomFile(path: string, size: number): Promise<void> {
  await Deno.mkdir(path.slice(0, path.lastIndexOf("/")), { recursive: true });
  using file = await Deno.open(path, { write: true, create: true, truncate: true });
  const block = new Uint8Array(Math.min(size, BLOCK));
  for (let left = size; left > 0; left -= block.length) {
    const part = randomFillSync(block).subarray(0, left);
    for (let sent = 0; sent < part.length;) sent += await file.write(part.subarray(sent));
  }
}

/** Throws unless both files hold the same bytes. */
export async function compareFiles(a: string, b: string): Promise<void> {
  using fileA = await Deno.open(a);
  using fileB = await Deno.open(b);
  const [sizeA, sizeB] = [(await fileA.stat()).size, (await fileB.stat()).size];
  ok(sizeA === sizeB, `${a} has ${sizeA} bytes, ${b} has ${sizeB}`);
  for (let at = 0; at < sizeA; at += BLOCK) {
    const size = Math.min(BLOCK, sizeA - at);
    const [bytesA, bytesB] = [await readExactly(fileA, size), await readExactly(fileB, size)];
    ok(bytesA.equals(bytesB), `${a} and ${b} differ after byte ${at}`);
  }
}

async function readExactly(file: Deno.FsFile, size: number): Promise<Buffer> {
  const bytes = Buffer.alloc(size);
  for (let read = 0; read < size;) {
    const count = await file.read(bytes.subarray(read));
    ok(count !== null, "a file became shorter");
    read += count;
  }
  return bytes;
}

/** Returns the paths of all files below a folder, sorted and relative to it. */
export async function filesBelow(folder: string, prefix = ""): Promise<string[]> {
  const found: string[] = [];
  for await (const { name, isDirectory } of Deno.readDir(`${folder}/${prefix}`)) {
    const path = `${prefix}${name}`;
    found.push(...isDirectory ? await filesBelow(folder, `${path}/`) : [path]);
  }
  return found.sort();
}

/** Creates a folder; disposing removes it. */
export async function temporaryFolder(): Promise<{ readonly path: string } & AsyncDisposable> {
  const path = await Deno.makeTempDir({ prefix: "nats-s3-clients-" });
  return {
    path,
    async [Symbol.asyncDispose]() {
      await Deno.remove(path, { recursive: true });
    },
  };
}
