import { dotted, removeValue, setValue } from "../config-path.ts";
import type { DatabaseConfig } from "../databases/config.ts";
import type { Problem } from "../errors.ts";
import { bucketArn } from "./bucket-policy.ts";
import type { BucketConfig, R2Config, S3Config } from "./config.ts";
import type { BucketTable } from "./declare.ts";

/** The part of the stack config that says something about buckets. */
export interface BucketKeys {
  readonly buckets: BucketTable;
  readonly database?: DatabaseConfig;
}

/** What is wrong between the rows of the table `buckets`, and between it and those who name its rows. */
export function bucketRelations(keys: BucketKeys): Problem[] {
  return relationTable.flatMap((relation) => relation(keys));
}

const relationTable: readonly ((keys: BucketKeys) => Problem[])[] = [
  namesDiffer,
  namedRowsAreS3,
  logBucketsTakeLogs,
  versionsAreThere,
  replicasCanBeRead,
  lifeOutlastsLock,
];

/** S3 gives a name out once in the world, R2 once in an account. */
function namesDiffer({ buckets }: BucketKeys): Problem[] {
  const taken = new Map<string, string>();
  return Object.entries(buckets).flatMap(([row, settings]) => {
    const physical =
      settings.store === "s3" ? `s3/${settings.name}` : `r2/${settings.accountId}/${settings.name}`;
    const owner = taken.get(physical);
    if (owner === undefined) {
      taken.set(physical, row);
      return [];
    }
    return [
      {
        where: dotted(["buckets", row, "name"]),
        found: `${settings.name}, which is the name of ${owner}`,
        required: "a name of its own",
        todo: setValue(["buckets", row, "name"], `${settings.name.slice(0, 50)}-${row}`),
      },
    ];
  });
}

/** Everyone who names a row, and where. A row of the table may not name itself. */
function namedRows({ buckets, database }: BucketKeys): {
  readonly path: readonly string[];
  readonly row: string;
  readonly self?: string;
}[] {
  const inTable = Object.entries(buckets).flatMap(([self, settings]) => {
    const [key, row] =
      settings.store === "s3"
        ? (["accessLogTo", settings.accessLogTo] as const)
        : (["copyTo", settings.copyTo] as const);
    return row === undefined ? [] : [{ path: ["buckets", self, key], row, self }];
  });
  const dumps =
    database?.kind === "container"
      ? [{ path: ["database", "dumps", "bucket"], row: database.dumps.bucket }]
      : [];
  return [...inTable, ...dumps];
}

function namedRowsAreS3(keys: BucketKeys): Problem[] {
  return namedRows(keys).flatMap(({ path, row, self }) => {
    const fitting = s3Rows(keys.buckets)
      .map(([name]) => name)
      .filter((name) => name !== self);
    if (fitting.includes(row)) return [];
    return [
      {
        where: dotted(path),
        found: `${row}, ${whyNot(row, self, keys.buckets)}`,
        required: `an S3 bucket in cutover:buckets: ${fitting.join(", ") || "there is none yet"}`,
        todo:
          fitting[0] === undefined
            ? setValue(
                ["buckets", Object.hasOwn(keys.buckets, row) ? `${row}-copy` : row, "store"],
                "s3",
              )
            : setValue(path, fitting[0]),
      },
    ];
  });
}

function whyNot(row: string, self: string | undefined, buckets: BucketTable): string {
  if (row === self) return "which is the bucket itself";
  return Object.hasOwn(buckets, row) ? "which is in R2" : "which is no bucket";
}

/** What would keep S3 from delivering an access log, which it does without a word. */
function logBucketsTakeLogs({ buckets }: BucketKeys): Problem[] {
  const targets = new Set(s3Rows(buckets).map(([, { accessLogTo }]) => accessLogTo));
  return s3Rows(buckets)
    .filter(([row]) => targets.has(row))
    .flatMap(([row, { accessLogTo, objectLockDays }]): Problem[] => [
      ...(accessLogTo === undefined || accessLogTo === row
        ? []
        : [
            {
              where: dotted(["buckets", row, "accessLogTo"]),
              found: `${accessLogTo}, but ${row} takes access logs itself`,
              required: "nothing: each log would be logged in turn",
              todo: removeValue(["buckets", row, "accessLogTo"]),
            },
          ]),
      ...(objectLockDays === undefined
        ? []
        : [
            {
              where: dotted(["buckets", row, "objectLockDays"]),
              found: `${objectLockDays} days, but ${row} takes access logs`,
              required: "nothing: S3 delivers no access log to a bucket that locks its objects",
              todo: removeValue(["buckets", row, "objectLockDays"]),
            },
          ]),
    ]);
}

/** S3 locks and replicates versions only. */
function versionsAreThere({ buckets }: BucketKeys): Problem[] {
  return s3Rows(buckets)
    .filter(([, { versioned }]) => !versioned)
    .flatMap(([row, { objectLockDays, replicateTo }]) => {
      const needs = [
        ...(objectLockDays === undefined ? [] : ["objectLockDays"]),
        ...(replicateTo === undefined ? [] : ["replicateTo"]),
      ];
      if (needs.length === 0) return [];
      return [
        {
          where: dotted(["buckets", row, "versioned"]),
          found: `false, but ${row} has ${needs.join(" and ")}`,
          required: "true: S3 locks and replicates versions only",
          todo: setValue(["buckets", row, "versioned"], "true"),
        },
      ];
    });
}

function replicasCanBeRead({ buckets }: BucketKeys): Problem[] {
  const takesLogs = (row: string): boolean =>
    s3Rows(buckets).some(([, { accessLogTo }]) => accessLogTo === row);
  return s3Rows(buckets).flatMap(([row, settings]): Problem[] => {
    const { name, replicateTo, replicaKeyArn, encrypted } = settings;
    const path = (key: string): string[] => ["buckets", row, key];
    if (replicateTo === undefined) {
      if (replicaKeyArn === undefined) return [];
      return [
        {
          where: dotted(path("replicaKeyArn")),
          found: "a key, but no replicateTo",
          required: "both or neither",
          todo: removeValue(path("replicaKeyArn")),
        },
      ];
    }
    if (replicateTo === bucketArn(name)) {
      return [
        {
          where: dotted(path("replicateTo")),
          found: "the bucket itself",
          required: "the ARN of a versioned bucket in another region or account",
          todo: setValue(path("replicateTo"), `${bucketArn(name.slice(0, 58))}-copy`),
        },
      ];
    }
    // Those that take access logs are not encrypted with KMS.
    if (!encrypted || takesLogs(row) || replicaKeyArn !== undefined) return [];
    return [
      {
        where: dotted(path("replicaKeyArn")),
        found: "nothing, but the objects are encrypted with a KMS key, which is of this region",
        required: "the ARN of the KMS key that encrypts the replicas, where they lie",
        todo: setValue(
          path("replicaKeyArn"),
          "arn:aws:kms:eu-west-1:123456789012:key/01234567-89ab-4cde-8f01-23456789abcd",
        ),
      },
    ];
  });
}

/** R2's lock wins over its lifecycle, so an earlier expiry would be a promise that nobody keeps. */
function lifeOutlastsLock({ buckets }: BucketKeys): Problem[] {
  return r2Rows(buckets).flatMap(([row, { lockDays, expireDays }]) => {
    if (expireDays === undefined || expireDays >= lockDays) return [];
    return [
      {
        where: dotted(["buckets", row, "expireDays"]),
        found: `${expireDays} days, but an object is locked for ${lockDays}`,
        required: `at least lockDays (${lockDays} days)`,
        todo: setValue(["buckets", row, "expireDays"], String(lockDays)),
      },
    ];
  });
}

function s3Rows(buckets: BucketTable): (readonly [string, S3Config])[] {
  return rowsOf(buckets, (row): row is S3Config => row.store === "s3");
}

function r2Rows(buckets: BucketTable): (readonly [string, R2Config])[] {
  return rowsOf(buckets, (row): row is R2Config => row.store === "r2");
}

function rowsOf<Row extends BucketConfig>(
  buckets: BucketTable,
  is: (row: BucketConfig) => row is Row,
): (readonly [string, Row])[] {
  return Object.entries(buckets).flatMap(([name, row]) => (is(row) ? [[name, row] as const] : []));
}
