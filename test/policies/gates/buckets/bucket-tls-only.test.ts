import { bucketTlsOnly } from "../../../../policies/gates/buckets/bucket-tls-only.ts";
import {
  another,
  set,
  testGate,
  unknown,
  without,
  type Change,
} from "../../../support/gate-tester.ts";

const arn = "arn:aws:s3:::orders-documents";
const refusal = {
  Effect: "Deny",
  Principal: "*",
  Action: "s3:*",
  Resource: [arn, `${arn}/*`],
  Condition: { Bool: { "aws:SecureTransport": "false" } },
};
const grant = { Effect: "Allow", Principal: { AWS: "111122223333" }, Action: "s3:GetObject" };

function policy(...statements: readonly object[]): Change {
  return set("bucketPolicy.policy", JSON.stringify({ Statement: statements }));
}

const toBucket = "bucket orders-documents: its policy lets requests without TLS reach the bucket";
const toObjects = "bucket orders-documents: its policy lets requests without TLS reach its objects";

testGate(bucketTlsOnly, {
  needs: ["bucketPolicy.policy"],
  names: ["bucket.bucket", "bucketPolicy.bucket"],
  passes: {
    "grants beside it": [policy(grant, refusal)],
    "everybody in the other form": [policy({ ...refusal, Principal: { AWS: "*" } })],
    "everybody in a list": [policy({ ...refusal, Principal: { AWS: ["*"] } })],
    "every action of every service": [policy({ ...refusal, Action: ["*"] })],
    "every resource": [policy({ ...refusal, Resource: "*" })],
    "another partition": [
      policy({
        ...refusal,
        Resource: [arn, `${arn}/*`].map((one) => one.replace("aws", "aws-cn")),
      }),
    ],
    "a statement for the bucket and one for its objects": [
      policy({ ...refusal, Resource: arn }, { ...refusal, Resource: `${arn}/*` }),
    ],
    "a single statement, not in a list": [
      set("bucketPolicy.policy", JSON.stringify({ Statement: refusal })),
    ],
    "a key in other letters, and a value that is no text": [
      policy({ ...refusal, Condition: { BoolIfExists: { "AWS:securetransport": [false] } } }),
    ],
    "a policy that is no text": [set("bucketPolicy.policy", { Statement: [refusal] })],
  },
  fails: {
    "no statement": [[policy()], "fail", toBucket],
    "grants only": [[policy(grant)], "fail", toObjects],
    "the bucket only": [[policy({ ...refusal, Resource: arn })], "fail", toObjects],
    "its objects only": [[policy({ ...refusal, Resource: `${arn}/*` })], "fail", toBucket],
    "some objects only": [
      [policy({ ...refusal, Resource: [arn, `${arn}/reports/*`] })],
      "fail",
      toObjects,
    ],
    "another bucket": [
      [policy({ ...refusal, Resource: [`${arn}-2`, `${arn}-2/*`] })],
      "fail",
      toBucket,
    ],
    "a bucket whose name ends alike": [
      [policy({ ...refusal, Resource: ["arn:aws:s3:::my-orders-documents"] })],
      "fail",
      toBucket,
    ],
    "a grant with the condition": [[policy({ ...refusal, Effect: "Allow" })], "fail", toBucket],
    "one account only": [
      [policy({ ...refusal, Principal: { AWS: "111122223333" } })],
      "fail",
      toBucket,
    ],
    "all but one": [
      [policy({ ...refusal, Principal: undefined, NotPrincipal: { AWS: "111122223333" } })],
      "fail",
      toBucket,
    ],
    "reading only": [[policy({ ...refusal, Action: "s3:Get*" })], "fail", toBucket],
    "requests with TLS": [
      [policy({ ...refusal, Condition: { Bool: { "aws:SecureTransport": "true" } } })],
      "fail",
      toBucket,
    ],
    "another condition": [
      [policy({ ...refusal, Condition: { Bool: { "aws:MultiFactorAuthPresent": "false" } } })],
      "fail",
      toBucket,
    ],
    "one more condition, under which it is refused only": [
      [
        policy({
          ...refusal,
          Condition: {
            Bool: { "aws:SecureTransport": "false" },
            IpAddress: { "aws:SourceIp": "203.0.113.0/24" },
          },
        }),
      ],
      "fail",
      toBucket,
    ],
    "one more key in the condition": [
      [
        policy({
          ...refusal,
          Condition: { Bool: { "aws:SecureTransport": "false", "aws:ViaAWSService": "false" } },
        }),
      ],
      "fail",
      toBucket,
    ],
    "no condition": [[policy({ ...refusal, Condition: undefined })], "fail", toBucket],
    "a policy that is no JSON": [
      [set("bucketPolicy.policy", "{")],
      "fail",
      "bucket orders-documents: its policy is no JSON",
    ],
    "a policy not known yet": [
      [set("bucketPolicy.policy", unknown)],
      "inconclusive",
      "bucket orders-documents: policy is unknown until the update",
    ],
    "no policy": [
      [without("bucketPolicy")],
      "inconclusive",
      "bucket orders-documents: no declared BucketPolicy names it",
    ],
    "a second bucket without a policy": [
      [another("bucket", { bucket: "second" })],
      "inconclusive",
      "bucket second: no declared BucketPolicy names it",
    ],
  },
});
