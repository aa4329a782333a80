import { strictEqual, throws } from "node:assert/strict";
import { isExcepted, type Naming, namingOf, parsePrincipals } from "./principals.ts";

const [MINE, OTHER] = ["111122223333", "444455556666"];
const ANN = `arn:aws:iam::${MINE}:user/ann`;
const [ANN_ID, OTHER_ID] = ["AIDAAAAAAAAAAAAAAAANN", "AIDAAAAAAAAAAAAAAAABB"];
const DEEP = `arn:aws:iam::${MINE}:user/staff/eu/ann`;
const BOB = `arn:aws:iam::${OTHER}:user/bob`;
const [ROOT, OTHER_ROOT] = [`arn:aws:iam::${MINE}:root`, `arn:aws:iam::${OTHER}:root`];

/** How an element names the user ann and the root of her account, and everybody who did not sign. */
type Row = readonly [
  element: unknown,
  ann: Naming | undefined,
  root: Naming | undefined,
  anonymous: Naming | undefined,
];

const ROWS: readonly Row[] = [
  ["*", "everybody", "everybody", "everybody"],
  [{ AWS: "*" }, "everybody", "everybody", "everybody"],
  [{ AWS: ["*"] }, "everybody", "everybody", "everybody"],
  [{ AWS: ANN }, "self", undefined, undefined],
  [{ AWS: [ANN] }, "self", undefined, undefined],
  [{ AWS: ANN_ID }, "self", undefined, undefined],
  [{ AWS: OTHER_ID }, undefined, undefined, undefined],
  [{ AWS: [BOB, ANN] }, "self", undefined, undefined],
  [{ AWS: BOB }, undefined, undefined, undefined],
  [{ AWS: DEEP }, undefined, undefined, undefined],
  [{ AWS: `arn:aws:iam::${MINE}:user/Ann` }, undefined, undefined, undefined],
  [{ AWS: `arn:aws:iam::${OTHER}:user/ann` }, undefined, undefined, undefined],
  [{ AWS: `arn:aws:iam::${MINE}:role/ann` }, undefined, undefined, undefined],
  [{ AWS: MINE }, "account", "self", undefined],
  [{ AWS: ROOT }, "account", "self", undefined],
  [{ AWS: [MINE, ANN] }, "self", "self", undefined],
  [{ AWS: [ANN, "*"] }, "self", "everybody", "everybody"],
  [{ AWS: [MINE, "*"] }, "everybody", "self", "everybody"],
  [{ AWS: OTHER }, undefined, undefined, undefined],
  [{ AWS: OTHER_ROOT }, undefined, undefined, undefined],
  [{ AWS: [OTHER, MINE] }, "account", "self", undefined],
  [{ Service: "logging.s3.amazonaws.com" }, undefined, undefined, undefined],
  [{ Service: ["a.amazonaws.com", "b.amazonaws.com"] }, undefined, undefined, undefined],
  [{ Service: "*" }, undefined, undefined, undefined],
  [{ Federated: "graph.facebook.com" }, undefined, undefined, undefined],
  [{ Service: "a.amazonaws.com", AWS: ANN }, "self", undefined, undefined],
];

const NAMED = {
  ann: { arn: ANN, account: MINE, isRoot: false, userId: ANN_ID },
  root: { arn: ROOT, account: MINE, isRoot: true, userId: MINE },
  anonymous: undefined,
};

for (const [element, ann, root, anonymous] of ROWS) {
  Deno.test(`principals ${JSON.stringify(element)}`, () => {
    const principals = parsePrincipals(element);
    const wanted = { ann, root, anonymous };
    for (const who of ["ann", "root", "anonymous"] as const) {
      strictEqual(namingOf(principals, NAMED[who]), wanted[who], who);
      // An account in NotPrincipal does not except its users.
      const isNamed = wanted[who] === "self" || wanted[who] === "everybody";
      strictEqual(isExcepted(principals, NAMED[who]), isNamed, who);
    }
  });
}

const INVALID = "Invalid principal in policy";

const REFUSED: readonly (readonly [element: unknown, message: string])[] = [
  [undefined, INVALID],
  [null, INVALID],
  ["", INVALID],
  ["**", INVALID],
  [MINE, INVALID],
  [ANN, INVALID],
  [["*"], INVALID],
  [1, INVALID],
  [true, INVALID],
  [{}, "Missing required field Principal cannot be empty!"],
  [{ aws: "*" }, INVALID],
  [{ IAM: MINE }, INVALID],
  [{ AWS: "*", Other: "a" }, INVALID],
  [{ CanonicalUser: "79a59df900b949e55d96a1e698fbaced" }, INVALID],
  [{ AWS: [] }, INVALID],
  [{ AWS: "" }, INVALID],
  [{ AWS: "ann" }, INVALID],
  [{ AWS: "11112222333" }, INVALID],
  [{ AWS: "1111222233334" }, INVALID],
  [{ AWS: [MINE, "ann"] }, INVALID],
  [{ AWS: [MINE, 1] }, INVALID],
  [{ AWS: [[MINE]] }, INVALID],
  [{ AWS: `arn:aws:iam::${MINE}:user/*` }, INVALID],
  [{ AWS: `arn:aws:iam::${MINE}:*` }, INVALID],
  [{ AWS: "arn:aws:iam::*:root" }, INVALID],
  [{ AWS: `arn:aws:iam::${MINE}:user/` }, INVALID],
  [{ AWS: `arn:aws:iam::${MINE}:group/staff` }, INVALID],
  [{ AWS: `arn:aws:iam:us-east-1:${MINE}:root` }, INVALID],
  [{ AWS: "arn:aws:s3:::b" }, INVALID],
  [{ AWS: `ARN:AWS:IAM::${MINE}:root` }, INVALID],
  [{ Service: null }, INVALID],
  [{ Service: [] }, INVALID],
];

for (const [element, message] of REFUSED) {
  Deno.test(`principals ${JSON.stringify(element)} are refused`, () => {
    throws(() => parsePrincipals(element), { name: "PolicyError", message });
  });
}

Deno.test("a name of nobody is refused when a policy is put", () => {
  const has = (arn: string) => arn === ANN || arn === ROOT;
  const reason = { name: "PolicyError", message: INVALID };
  for (const name of [ANN, ROOT, MINE, "*"]) parsePrincipals({ AWS: name }, has);
  for (const name of [BOB, DEEP, OTHER, OTHER_ROOT]) {
    throws(() => parsePrincipals({ AWS: name }, has), reason);
  }
});
