import { withRowKey } from "../../bucket-rows.ts";
import { isRecord } from "../../contract/path.ts";
import { defineGate, fail, type Reason } from "../../gate.ts";
import { nouns } from "../../nouns.ts";
import { judgeParts } from "../../parts.ts";
import { isText, listOf, plain, shown } from "../../values.ts";

const policy = {
  kind: "BucketPolicy",
  type: "aws:s3/bucketPolicy:BucketPolicy",
  ownerIn: "bucket",
};

/** Requests without TLS are refused, to the bucket and to its objects. R2 answers over TLS only and has no setting. */
export const bucketTlsOnly = defineGate({
  id: "bucket-tls-only",
  about: "relation",
  nouns: ["buckets"],
  requires: "Every S3 bucket refuses requests without TLS.",
  because: "Whoever listens on the way could read what is asked and answered.",
  severity: "high",
  required: "a policy that denies everybody s3:* where aws:SecureTransport is false",
  remedy: "set tlsOnly of its row in cutover:buckets to true",
  judge: (bucket, seen) => {
    const name = bucket.props[nouns.buckets.nameIn];
    const reasons = judgeParts(policy, bucket, nouns.buckets.nameIn, seen, ({ props }) =>
      judgePolicy(plain(props["policy"]), isText(name) ? name : ""),
    );
    return withRowKey(reasons, bucket, "tlsOnly", true);
  },
});

function judgePolicy(value: unknown, bucket: string): readonly Reason[] {
  const document = isText(value) ? parsed(value) : value;
  if (!isRecord(document)) {
    return [fail(isText(value) ? "its policy is no JSON" : `its policy is ${shown(value)}`)];
  }
  const arns = listOf(document["Statement"])
    .filter(isRecord)
    .filter(refusesWithoutTls)
    .flatMap((statement) => listOf(statement["Resource"]));
  const isCovered = (path: string): boolean =>
    arns.some((arn) => isText(arn) && (arn === "*" || arn.endsWith(`:s3:::${bucket}${path}`)));
  return [
    ...(isCovered("") ? [] : [fail("its policy lets requests without TLS reach the bucket")]),
    ...(isCovered("/*") ? [] : [fail("its policy lets requests without TLS reach its objects")]),
  ];
}

/** Whether a statement refuses everybody everything for want of TLS, and asks for nothing else besides. */
function refusesWithoutTls(statement: Readonly<Record<string, unknown>>): boolean {
  const { Effect, Principal, Action, Condition } = statement;
  const everybody = isRecord(Principal) ? Principal["AWS"] : Principal;
  return (
    Effect === "Deny" &&
    listOf(everybody).includes("*") &&
    listOf(Action).some((action) => action === "*" || action === "s3:*") &&
    isWithoutTls(Condition)
  );
}

function isWithoutTls(condition: unknown): boolean {
  if (!isRecord(condition)) return false;
  const [operator, ...more] = Object.keys(condition);
  const asked = condition[operator ?? ""];
  if (more.length > 0 || !/^Bool(IfExists)?$/.test(operator ?? "") || !isRecord(asked))
    return false;
  const [[key, value] = [], ...others] = Object.entries(asked);
  const values = listOf(value);
  return (
    others.length === 0 &&
    key?.toLowerCase() === "aws:securetransport" &&
    values.length === 1 &&
    String(values[0]) === "false"
  );
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}
