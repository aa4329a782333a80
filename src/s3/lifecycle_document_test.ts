import { deepStrictEqual, strictEqual, throws } from "node:assert/strict";
import type { LifecycleRule } from "./lifecycle.ts";
import {
  formatKeptLifecycle,
  lifecycleElements,
  parseKeptLifecycle,
  parseLifecycle,
  parseMinimumSize,
} from "./lifecycle_document.ts";
import { formatXml } from "./xml.ts";

const DAYS = "<Expiration><Days>1</Days></Expiration>";
const TAG = "<Tag><Key>a</Key><Value>1</Value></Tag>";

function rule(content: string, filter = "<Filter></Filter>"): string {
  return `<Rule><ID>a</ID>${filter}<Status>Enabled</Status>${content}</Rule>`;
}

function parse(...rules: readonly string[]): readonly LifecycleRule[] {
  let id = 0;
  const text = `<LifecycleConfiguration>${rules.join("")}</LifecycleConfiguration>`;
  return parseLifecycle(text, () => `new ${++id}`);
}

Deno.test("every form of a rule is parsed, kept and shown as it was put", () => {
  const filters = [
    "<Prefix>logs/</Prefix>",
    "<Prefix></Prefix>",
    "<Filter></Filter>",
    "<Filter><Prefix></Prefix></Filter>",
    "<Filter><Prefix> a&amp;b </Prefix></Filter>",
    `<Filter>${TAG}</Filter>`,
    "<Filter><ObjectSizeGreaterThan>0</ObjectSizeGreaterThan></Filter>",
    "<Filter><ObjectSizeLessThan>5</ObjectSizeLessThan></Filter>",
    `<Filter><And><Prefix>p</Prefix>${TAG}<Tag><Key>b</Key><Value></Value></Tag>` +
    "<ObjectSizeGreaterThan>1</ObjectSizeGreaterThan><ObjectSizeLessThan>9</ObjectSizeLessThan></And></Filter>",
  ];
  const actions = [
    DAYS,
    "<Expiration><Date>2030-01-02T00:00:00.000Z</Date></Expiration>",
    "<NoncurrentVersionExpiration><NoncurrentDays>3</NoncurrentDays></NoncurrentVersionExpiration>",
    "<NoncurrentVersionExpiration><NoncurrentDays>3</NoncurrentDays><NewerNoncurrentVersions>100</NewerNoncurrentVersions></NoncurrentVersionExpiration>",
  ];
  const rules = [
    ...filters.map((filter) => rule(DAYS, filter)),
    ...actions.map((action) => rule(action)),
    rule("<Expiration><ExpiredObjectDeleteMarker>true</ExpiredObjectDeleteMarker></Expiration>"),
    rule(
      "<AbortIncompleteMultipartUpload><DaysAfterInitiation>7</DaysAfterInitiation></AbortIncompleteMultipartUpload>",
    ),
  ].map((text, index) => text.replace("<ID>a<", `<ID>rule ${index}<`));
  const parsed = parse(...rules);
  const body = `<LifecycleConfiguration>${rules.join("")}</LifecycleConfiguration>`;
  const shown = formatXml("LifecycleConfiguration", lifecycleElements(parsed), "");
  strictEqual(shown.slice(shown.indexOf("<Life")), body);
  for (const minimumSize of ["varies_by_storage_class", "all_storage_classes_128K"] as const) {
    const kept = formatKeptLifecycle({ rules: parsed, minimumSize });
    deepStrictEqual(parseKeptLifecycle(kept), { rules: parsed, minimumSize });
  }
});

Deno.test("a rule without an id gets one, and what has the form of a default is accepted", () => {
  const bare = `<Rule><Filter/><Status>Disabled</Status>${DAYS}</Rule>`;
  deepStrictEqual(parse(bare, bare.replace("Rule>", "Rule><ID/>")).map(({ id }) => id), [
    "new 1",
    "new 2",
  ]);
  strictEqual(parse(bare)[0]?.isEnabled, false);
  const beside =
    "<Expiration><Days>2</Days><ExpiredObjectDeleteMarker>false</ExpiredObjectDeleteMarker></Expiration>";
  deepStrictEqual(parse(rule(beside))[0]?.expiration, { days: 2 });
  const date = "<Expiration><Date>2030-01-02T01:00:00+01:00</Date></Expiration>";
  deepStrictEqual(parse(rule(date))[0]?.expiration, { date: new Date("2030-01-02") });
  const short = "<Expiration><Date>2030-01-02</Date></Expiration>";
  deepStrictEqual(parse(rule(short))[0]?.expiration, { date: new Date("2030-01-02") });
  const longest = "i".repeat(255);
  strictEqual(parse(rule(DAYS).replace("<ID>a<", `<ID>${longest}<`))[0]?.id, longest);
  strictEqual(
    parse(...Array.from({ length: 1000 }, (_, n) => rule(DAYS).replace("<ID>a<", `<ID>${n}<`)))
      .length,
    1000,
  );
});

Deno.test("documents are refused as Amazon refuses them", () => {
  const expiration = (content: string): string => rule(`<Expiration>${content}</Expiration>`);
  const noncurrent = (content: string): string =>
    rule(`<NoncurrentVersionExpiration>${content}</NoncurrentVersionExpiration>`);
  const abort = (days: string, filter?: string): string =>
    rule(
      `<AbortIncompleteMultipartUpload>${days}</AbortIncompleteMultipartUpload>`,
      filter,
    );
  const WEEK = "<DaysAfterInitiation>7</DaysAfterInitiation>";
  const MARKERS =
    "<Expiration><ExpiredObjectDeleteMarker>true</ExpiredObjectDeleteMarker></Expiration>";
  const SIZE = "<Filter><ObjectSizeLessThan>5</ObjectSizeLessThan></Filter>";
  const midnight = "'Date' must be at midnight GMT";
  const positive = (name: string, action: string): string =>
    `'${name}' for ${action} action must be a positive integer`;
  const rows: readonly (readonly [rules: readonly string[], code: string, message?: string])[] = [
    [[], "MalformedXML"],
    [["<Rules/>"], "MalformedXML"],
    [[rule(DAYS), "<Other/>"], "MalformedXML"],
    [
      Array.from({ length: 1001 }, () => rule(DAYS)),
      "InvalidRequest",
      "The number of lifecycle rules must not exceed the allowed limit of 1000 rules",
    ],
    [
      [rule(DAYS), rule(DAYS)],
      "InvalidArgument",
      "Rule ID must be unique. Found same ID for more than one rule",
    ],
    [
      [rule(DAYS).replace("<ID>a<", `<ID>${"i".repeat(256)}<`)],
      "InvalidArgument",
      "ID length should not exceed allowed limit of 255",
    ],
    [[rule("")], "InvalidRequest", "At least one action needs to be specified in a rule"],
    [[rule(DAYS).replace("Enabled", "enabled")], "MalformedXML"],
    [[rule(DAYS).replace("<Status>Enabled</Status>", "")], "MalformedXML"],
    [[rule(DAYS + DAYS)], "MalformedXML"],
    [[rule(DAYS + "<Other/>")], "MalformedXML"],
    [[rule(DAYS, "")], "MalformedXML"],
    [[rule(DAYS, "<Filter/><Prefix>a</Prefix>")], "MalformedXML"],
    [[rule(DAYS, `<Filter><Prefix>a</Prefix>${TAG}</Filter>`)], "MalformedXML"],
    [[rule(DAYS, "<Filter><And/></Filter>")], "MalformedXML"],
    [[rule(DAYS, "<Filter><Suffix>a</Suffix></Filter>")], "MalformedXML"],
    [
      [rule(DAYS, `<Filter><And>${TAG}${TAG}</And></Filter>`)],
      "InvalidRequest",
      "Duplicate Tag Keys are not allowed.",
    ],
    [[rule(DAYS, "<Filter><Tag><Key></Key><Value></Value></Tag></Filter>")], "InvalidTag"],
    [
      [
        rule(
          DAYS,
          "<Filter><And><ObjectSizeGreaterThan>5</ObjectSizeGreaterThan><ObjectSizeLessThan>5</ObjectSizeLessThan></And></Filter>",
        ),
      ],
      "InvalidRequest",
    ],
    [
      [rule(DAYS, "<Filter><ObjectSizeLessThan>-1</ObjectSizeLessThan></Filter>")],
      "MalformedXML",
    ],
    [[expiration("")], "MalformedXML"],
    [[expiration("<Days>0</Days>")], "InvalidArgument", positive("Days", "Expiration")],
    [[expiration("<Days>-1</Days>")], "InvalidArgument", positive("Days", "Expiration")],
    [[expiration("<Days>1.5</Days>")], "MalformedXML"],
    [[expiration("<Days>2147483648</Days>")], "MalformedXML"],
    [[expiration("<Days>1</Days><Date>2030-01-01T00:00:00Z</Date>")], "MalformedXML"],
    [
      [
        expiration(
          "<Days>1</Days><ExpiredObjectDeleteMarker>true</ExpiredObjectDeleteMarker>",
        ),
      ],
      "MalformedXML",
    ],
    [
      [expiration("<ExpiredObjectDeleteMarker>yes</ExpiredObjectDeleteMarker>")],
      "MalformedXML",
    ],
    [[expiration("<Date>2030-01-01T00:00:01Z</Date>")], "InvalidArgument", midnight],
    [[expiration("<Date>2030-01-01T00:00:00+01:00</Date>")], "InvalidArgument", midnight],
    [[expiration("<Date>tomorrow</Date>")], "MalformedXML"],
    [[expiration("<Date>2030-13-01T00:00:00Z</Date>")], "MalformedXML"],
    [
      [rule(MARKERS, `<Filter>${TAG}</Filter>`)],
      "InvalidRequest",
      "ExpiredObjectDeleteMarker cannot be specified with Tags.",
    ],
    [
      [rule(MARKERS, SIZE)],
      "InvalidRequest",
      "ExpiredObjectDeleteMarker cannot be specified with Object Size.",
    ],
    [[noncurrent("")], "MalformedXML"],
    [[noncurrent("<NewerNoncurrentVersions>1</NewerNoncurrentVersions>")], "MalformedXML"],
    [
      [noncurrent("<NoncurrentDays>0</NoncurrentDays>")],
      "InvalidArgument",
      positive("NoncurrentDays", "NoncurrentVersionExpiration"),
    ],
    [
      [
        noncurrent(
          "<NoncurrentDays>1</NoncurrentDays><NewerNoncurrentVersions>0</NewerNoncurrentVersions>",
        ),
      ],
      "InvalidArgument",
      positive("NewerNoncurrentVersions", "NoncurrentVersionExpiration"),
    ],
    [
      [
        noncurrent(
          "<NoncurrentDays>1</NoncurrentDays><NewerNoncurrentVersions>101</NewerNoncurrentVersions>",
        ),
      ],
      "InvalidArgument",
    ],
    [[abort("")], "MalformedXML"],
    [
      [abort("<DaysAfterInitiation>0</DaysAfterInitiation>")],
      "InvalidArgument",
      positive("DaysAfterInitiation", "AbortIncompleteMultipartUpload"),
    ],
    [
      [abort(WEEK, `<Filter>${TAG}</Filter>`)],
      "InvalidRequest",
      "AbortIncompleteMultipartUpload cannot be specified with Tags.",
    ],
    [
      [abort(WEEK, SIZE)],
      "InvalidRequest",
      "AbortIncompleteMultipartUpload cannot be specified with Object Size.",
    ],
    [[rule(`${DAYS}<Transition/>`)], "NotImplemented"],
    [[rule("<NoncurrentVersionTransition/>")], "NotImplemented"],
  ];
  for (const [rules, code, message] of rows) {
    const expected = message === undefined ? { code } : { code, message };
    throws(() => parse(...rules), expected, rules[0]?.slice(0, 300));
  }
});

Deno.test("the header of the smallest size has one of two values", () => {
  strictEqual(parseMinimumSize(null), "all_storage_classes_128K");
  strictEqual(parseMinimumSize("varies_by_storage_class"), "varies_by_storage_class");
  throws(() => parseMinimumSize("1K"), { code: "InvalidRequest" });
});
