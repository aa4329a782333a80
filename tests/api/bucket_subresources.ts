/**
 * Every sub-resource that a bucket has on AWS, and how a bucket answers on which nothing was ever set.
 * @module
 */

import { formatPublicRead } from "../../src/s3/policy.ts";
import { contentMD5 } from "./test_gateway.ts";

/** An error, or the root element of a document in AWS's namespace. */
export type Answer =
  | { readonly status: number; readonly code: string }
  | { readonly status: 200; readonly root: string };

/** A PUT that the gateway must refuse, or accept without keeping anything. */
export type Put = {
  readonly body?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly answer: { readonly status: number; readonly code?: string };
};

/** A sub-resource that the gateway does not keep. */
export type Unkept = {
  /** As in the query. */
  readonly query: string;
  readonly get: Answer;
  readonly puts: readonly Put[];
  readonly delete: { readonly status: number; readonly code?: string };
};

/** A sub-resource of which the gateway keeps what was put. */
export type Kept = {
  readonly query: string;
  readonly get: Answer;
  readonly valid: string;
  readonly invalid: readonly (readonly [body: string, code: string])[];
  /** Some are reset by another PUT instead, of which nothing is kept if it clears what was put before. */
  readonly reset: "DELETE" | { readonly put: string; readonly clears?: true };
};

const missing = (code: string): Answer => ({ status: 404, code });
const document = (root: string): Answer => ({ status: 200, root });
/** The answer to a method that AWS does not have for the sub-resource. */
const NO_METHOD = { status: 405, code: "MethodNotAllowed" } as const;
const UNSUPPORTED = { status: 501, code: "NotImplemented" } as const;
const DELETED = { status: 204 } as const;
const refused = (body: string): Put => ({ body, answer: UNSUPPORTED });
const LOCK_ENABLED = "<ObjectLockConfiguration><ObjectLockEnabled>Enabled</ObjectLockEnabled>" +
  "</ObjectLockConfiguration>";
const NO_PUT: readonly Put[] = [{ body: "<X/>", answer: NO_METHOD }];

/** A sub-resource of which a bucket may have several configurations, each with an id. */
function severalOf(query: string, list: string, one: string): readonly Unkept[] {
  const none = { status: 404, code: "NoSuchConfiguration" } as const;
  return [
    {
      query,
      get: document(`<${list}><IsTruncated>false</IsTruncated></${list}>`),
      puts: NO_PUT,
      delete: NO_METHOD,
    },
    {
      query: `${query}&id=reports`,
      get: none,
      puts: [refused(`<${one}><Id>reports</Id></${one}>`)],
      delete: none,
    },
  ];
}

export const UNKEPT: readonly Unkept[] = [
  {
    query: "abac",
    get: UNSUPPORTED,
    puts: [refused("<AbacStatus><Status>Enabled</Status></AbacStatus>")],
    delete: NO_METHOD,
  },
  {
    query: "acl",
    get: document(
      "<AccessControlPolicy><Owner><ID>alice</ID><DisplayName>alice</DisplayName></Owner>" +
        "<AccessControlList><Grant><Grantee><ID>alice</ID><DisplayName>alice</DisplayName>" +
        "</Grantee><Permission>FULL_CONTROL</Permission></Grant></AccessControlList>" +
        "</AccessControlPolicy>",
    ),
    puts: [
      { headers: { "x-amz-acl": "private" }, answer: { status: 200 } },
      {
        headers: { "x-amz-acl": "public-read" },
        answer: { status: 400, code: "AccessControlListNotSupported" },
      },
    ],
    delete: NO_METHOD,
  },
  ...severalOf("analytics", "ListBucketAnalyticsConfigurationResult", "AnalyticsConfiguration"),
  { query: "delete", get: NO_METHOD, puts: NO_PUT, delete: NO_METHOD },
  {
    query: "encryption",
    get: missing("ServerSideEncryptionConfigurationNotFoundError"),
    puts: [
      refused(
        "<ServerSideEncryptionConfiguration><Rule><ApplyServerSideEncryptionByDefault>" +
          "<SSEAlgorithm>AES256</SSEAlgorithm></ApplyServerSideEncryptionByDefault></Rule>" +
          "</ServerSideEncryptionConfiguration>",
      ),
    ],
    delete: DELETED,
  },
  ...severalOf(
    "intelligent-tiering",
    "ListBucketIntelligentTieringConfigurationsOutput",
    "IntelligentTieringConfiguration",
  ),
  ...severalOf("inventory", "ListInventoryConfigurationsResult", "InventoryConfiguration"),
  {
    query: "location",
    get: document("<LocationConstraint/>"),
    puts: NO_PUT,
    delete: NO_METHOD,
  },
  ...["metadataAnnotationTable", "metadataInventoryTable", "metadataJournalTable"].map((
    query,
  ) => ({ query, get: NO_METHOD, puts: [refused("<X/>")], delete: NO_METHOD })),
  ...["metadataConfiguration", "metadataTable"].map((query) => ({
    query,
    get: UNSUPPORTED,
    puts: NO_PUT,
    delete: UNSUPPORTED,
  })),
  ...severalOf("metrics", "ListMetricsConfigurationsResult", "MetricsConfiguration"),
  {
    query: "notification",
    get: document("<NotificationConfiguration/>"),
    puts: [
      { body: "<NotificationConfiguration/>", answer: { status: 200 } },
      refused(
        "<NotificationConfiguration><QueueConfiguration><Queue>arn:aws:sqs:a:b:c</Queue>" +
          "<Event>s3:ObjectCreated:*</Event></QueueConfiguration></NotificationConfiguration>",
      ),
      refused(
        "<NotificationConfiguration><EventBridgeConfiguration/></NotificationConfiguration>",
      ),
      {
        body: "<NotificationConfiguration><Other/></NotificationConfiguration>",
        answer: { status: 400, code: "MalformedXML" },
      },
      { body: "<Notification/>", answer: { status: 400, code: "MalformedXML" } },
    ],
    delete: NO_METHOD,
  },
  {
    query: "object-lock",
    get: missing("ObjectLockConfigurationNotFoundError"),
    puts: [
      { body: LOCK_ENABLED, answer: { status: 400, code: "InvalidRequest" } },
      {
        body: LOCK_ENABLED,
        headers: { "content-md5": contentMD5(LOCK_ENABLED) },
        answer: { status: 409, code: "InvalidBucketState" },
      },
    ],
    delete: NO_METHOD,
  },
  {
    query: "ownershipControls",
    get: document(ownership("BucketOwnerEnforced")),
    puts: [
      { body: ownership("BucketOwnerEnforced"), answer: { status: 200 } },
      refused(ownership("BucketOwnerPreferred")),
      refused(ownership("ObjectWriter")),
      { body: ownership("Everyone"), answer: { status: 400, code: "MalformedXML" } },
      { body: "<OwnershipControls/>", answer: { status: 400, code: "MalformedXML" } },
      {
        body: ownership("BucketOwnerEnforced").replaceAll("OwnershipControls", "Controls"),
        answer: { status: 400, code: "MalformedXML" },
      },
    ],
    delete: { status: 404, code: "OwnershipControlsNotFoundError" },
  },
  {
    query: "policyStatus",
    get: missing("NoSuchBucketPolicy"),
    puts: NO_PUT,
    delete: NO_METHOD,
  },
  {
    query: "replication",
    get: missing("ReplicationConfigurationNotFoundError"),
    puts: [refused("<ReplicationConfiguration><Role>a</Role></ReplicationConfiguration>")],
    delete: DELETED,
  },
  { query: "session", get: UNSUPPORTED, puts: NO_PUT, delete: NO_METHOD },
  {
    query: "uploads",
    get: document(
      "<ListMultipartUploadsResult><Bucket>bucket</Bucket><KeyMarker/><UploadIdMarker/>" +
        "<Prefix/><MaxUploads>1000</MaxUploads><IsTruncated>false</IsTruncated>" +
        "</ListMultipartUploadsResult>",
    ),
    puts: NO_PUT,
    delete: NO_METHOD,
  },
  {
    query: "versioning",
    get: document("<VersioningConfiguration/>"),
    puts: [
      refused(
        "<VersioningConfiguration><Status>Enabled</Status><MfaDelete>Enabled</MfaDelete>" +
          "</VersioningConfiguration>",
      ),
      {
        body: "<VersioningConfiguration/>",
        answer: { status: 400, code: "IllegalVersioningConfigurationException" },
      },
    ],
    delete: NO_METHOD,
  },
  {
    query: "versions",
    get: document(
      "<ListVersionsResult><Name>bucket</Name><Prefix/><KeyMarker/><VersionIdMarker/>" +
        "<MaxKeys>1000</MaxKeys><IsTruncated>false</IsTruncated></ListVersionsResult>",
    ),
    puts: NO_PUT,
    delete: NO_METHOD,
  },
];

export const KEPT: readonly Kept[] = [
  {
    query: "accelerate",
    get: document("<AccelerateConfiguration/>"),
    valid: "<AccelerateConfiguration><Status>Suspended</Status></AccelerateConfiguration>",
    invalid: [
      ["<AccelerateConfiguration><Status>Fast</Status></AccelerateConfiguration>", "MalformedXML"],
      ["<Accelerate><Status>Suspended</Status></Accelerate>", "MalformedXML"],
    ],
    // As on AWS, nothing takes the state away again.
    reset: { put: "<AccelerateConfiguration><Status>Suspended</Status></AccelerateConfiguration>" },
  },
  {
    query: "cors",
    get: missing("NoSuchCORSConfiguration"),
    valid: "<CORSConfiguration><CORSRule><AllowedOrigin>https://a.test</AllowedOrigin>" +
      "<AllowedMethod>GET</AllowedMethod></CORSRule></CORSConfiguration>",
    invalid: [
      ["<CORSConfiguration/>", "MalformedXML"],
      [
        "<CORSConfiguration><CORSRule><AllowedOrigin>*.*</AllowedOrigin>" +
        "<AllowedMethod>GET</AllowedMethod></CORSRule></CORSConfiguration>",
        "InvalidRequest",
      ],
    ],
    reset: "DELETE",
  },
  {
    query: "lifecycle",
    get: missing("NoSuchLifecycleConfiguration"),
    valid: '<?xml version="1.0" encoding="UTF-8"?>\n' +
      '<LifecycleConfiguration xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Rule>' +
      "<ID>a</ID><Prefix></Prefix><Status>Enabled</Status><Expiration><Days>1</Days>" +
      "</Expiration></Rule></LifecycleConfiguration>",
    invalid: [
      ["<LifecycleConfiguration/>", "MalformedXML"],
      [
        "<LifecycleConfiguration><Rule><Prefix/><Status>Enabled</Status></Rule>" +
        "</LifecycleConfiguration>",
        "InvalidRequest",
      ],
    ],
    reset: "DELETE",
  },
  {
    query: "logging",
    get: document("<BucketLoggingStatus/>"),
    valid: "<BucketLoggingStatus><LoggingEnabled><TargetBucket>bucket</TargetBucket>" +
      "<TargetPrefix>logs/</TargetPrefix></LoggingEnabled></BucketLoggingStatus>",
    invalid: [
      ["<Logging/>", "MalformedXML"],
      [
        "<BucketLoggingStatus><LoggingEnabled><TargetBucket>missing</TargetBucket>" +
        "<TargetPrefix>logs/</TargetPrefix></LoggingEnabled></BucketLoggingStatus>",
        "InvalidTargetBucketForLogging",
      ],
    ],
    reset: { put: "<BucketLoggingStatus/>", clears: true },
  },
  {
    query: "policy",
    get: missing("NoSuchBucketPolicy"),
    valid: formatPublicRead("bucket"),
    invalid: [["Version", "MalformedPolicy"], [formatPublicRead("other"), "MalformedPolicy"]],
    reset: "DELETE",
  },
  {
    query: "publicAccessBlock",
    get: missing("NoSuchPublicAccessBlockConfiguration"),
    valid: block("<BlockPublicAcls>true</BlockPublicAcls>"),
    invalid: [
      ["<PublicAccessBlock/>", "MalformedXML"],
      [block("<BlockPublicAcls>yes</BlockPublicAcls>"), "MalformedXML"],
      [block("<BlockEverything>true</BlockEverything>"), "MalformedXML"],
      [block("<BlockPublicAcls>true</BlockPublicAcls>".repeat(2)), "MalformedXML"],
    ],
    reset: "DELETE",
  },
  {
    query: "requestPayment",
    get: document(
      "<RequestPaymentConfiguration><Payer>BucketOwner</Payer></RequestPaymentConfiguration>",
    ),
    valid: "<RequestPaymentConfiguration><Payer>BucketOwner</Payer></RequestPaymentConfiguration>",
    invalid: [
      [
        "<RequestPaymentConfiguration><Payer>Nobody</Payer></RequestPaymentConfiguration>",
        "MalformedXML",
      ],
    ],
    reset: {
      put: "<RequestPaymentConfiguration><Payer>BucketOwner</Payer></RequestPaymentConfiguration>",
    },
  },
  {
    query: "tagging",
    get: missing("NoSuchTagSet"),
    valid: "<Tagging><TagSet><Tag><Key>a</Key><Value>b</Value></Tag></TagSet></Tagging>",
    invalid: [
      ["<Tags/>", "MalformedXML"],
      [
        "<Tagging><TagSet><Tag><Key>aws:a</Key><Value>b</Value></Tag></TagSet></Tagging>",
        "InvalidTag",
      ],
    ],
    reset: "DELETE",
  },
  {
    query: "website",
    get: missing("NoSuchWebsiteConfiguration"),
    valid: "<WebsiteConfiguration><IndexDocument><Suffix>index.html</Suffix></IndexDocument>" +
      "</WebsiteConfiguration>",
    invalid: [["<Website/>", "MalformedXML"]],
    reset: "DELETE",
  },
];

function block(switches: string): string {
  return `<PublicAccessBlockConfiguration>${switches}</PublicAccessBlockConfiguration>`;
}

function ownership(value: string): string {
  return `<OwnershipControls><Rule><ObjectOwnership>${value}</ObjectOwnership></Rule></OwnershipControls>`;
}
