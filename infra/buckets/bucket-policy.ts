/** What a bucket's policy is made from; names are those of S3. */
export interface BucketPolicyArgs {
  readonly bucket: string;
  /** Whether requests without TLS are refused. */
  readonly tlsOnly: boolean;
  /** Buckets that write their access log here. */
  readonly logsOf: readonly string[];
}

/** The ARN of a bucket. */
export function bucketArn(bucket: string): string {
  return `arn:aws:s3:::${bucket}`;
}

/**
 * The policy of a bucket as JSON, known before anything exists; undefined for a bucket that needs none.
 *
 * Access logs are written by a service of S3, which must be allowed to: a bucket's ACL no longer can.
 */
export function bucketPolicy({ bucket, tlsOnly, logsOf }: BucketPolicyArgs): string | undefined {
  const arn = bucketArn(bucket);
  const statements = [
    ...(tlsOnly
      ? [
          {
            Sid: "RefuseWithoutTls",
            Effect: "Deny",
            Principal: "*",
            Action: "s3:*",
            Resource: [arn, `${arn}/*`],
            Condition: { Bool: { "aws:SecureTransport": "false" } },
          },
        ]
      : []),
    ...(logsOf.length > 0
      ? [
          {
            Sid: "TakeAccessLogs",
            Effect: "Allow",
            Principal: { Service: "logging.s3.amazonaws.com" },
            Action: "s3:PutObject",
            Resource: `${arn}/*`,
            Condition: { ArnLike: { "aws:SourceArn": logsOf.map(bucketArn) } },
          },
        ]
      : []),
  ];
  if (statements.length === 0) return undefined;
  return JSON.stringify({ Version: "2012-10-17", Statement: statements });
}
