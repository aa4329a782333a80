import { deepStrictEqual, strictEqual } from "node:assert/strict";
import { currentClient, workFor } from "../../streams/clients_work.ts";
import { streamOfPieces } from "./chunk_reader.ts";

Deno.test("streamOfPieces() reads for the client that began, although the server asks for the pieces", async () => {
  const clients: (string | undefined)[] = [];
  async function* pieces(): AsyncGenerator<Uint8Array<ArrayBuffer>> {
    for (let i = 0; i < 3; i++) {
      await Promise.resolve();
      clients.push(currentClient());
      yield new Uint8Array([i]);
    }
  }
  const stream = await workFor("ann", () => streamOfPieces(pieces()));
  strictEqual(currentClient(), undefined);
  deepStrictEqual([...await new Response(stream).bytes()], [0, 1, 2]);
  deepStrictEqual(clients, ["ann", "ann", "ann"]);
});
