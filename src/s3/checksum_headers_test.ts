import { deepStrictEqual, throws } from "node:assert/strict";
import { parseUploadChecksum } from "./checksum_headers.ts";

Deno.test("parseUploadChecksum() accepts only the types of an algorithm", () => {
  const parse = (algorithm: string, type?: string) =>
    parseUploadChecksum(
      new Headers({
        "x-amz-checksum-algorithm": algorithm,
        ...(type !== undefined && { "x-amz-checksum-type": type }),
      }),
    );
  deepStrictEqual(parse("CRC32"), { algorithm: "CRC32", type: "COMPOSITE" });
  deepStrictEqual(parse("crc64nvme"), { algorithm: "CRC64NVME", type: "FULL_OBJECT" });
  deepStrictEqual(parse("CRC32C", "FULL_OBJECT"), { algorithm: "CRC32C", type: "FULL_OBJECT" });
  throws(() => parse("SHA1", "FULL_OBJECT"), { code: "InvalidRequest" });
  throws(() => parse("CRC64NVME", "COMPOSITE"), { code: "InvalidRequest" });
  throws(() => parse("MD9"), { code: "InvalidRequest" });
});
