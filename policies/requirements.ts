/**
 * The numbers that the gates enforce. They belong to the pack and cannot be set from outside: a number that a flag of
 * the run can lower is no requirement.
 */
export const requirements = {
  /**
   * Days that automated database backups are kept. RDS allows 0 (off) to 35.
   * https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_WorkingWithAutomatedBackups.BackupRetention.html
   */
  backupRetentionDays: 7,

  /** Days that a restore test may be old: a month, as the release checklist of StageOS asks. */
  restoreTestDays: 30,

  /**
   * Days that a locked vault keeps each recovery point at least, so that it outlives the automated backups.
   * https://docs.aws.amazon.com/aws-backup/latest/devguide/vault-lock.html
   */
  vaultLockDays: 7,

  /**
   * Days that a bucket keeps an object that was overwritten or deleted: a month, so that damage which shows only in
   * the next monthly report can be undone.
   * https://docs.aws.amazon.com/AmazonS3/latest/userguide/lifecycle-configuration-examples.html
   */
  bucketRetentionDays: 30,

  /**
   * Days that R2 refuses to delete or overwrite an object: the same month, where no versions exist.
   * https://developers.cloudflare.com/r2/buckets/bucket-locks/
   */
  archiveLockDays: 30,

  /**
   * Days in which a deleted secret can be had back: the fewest that Secrets Manager gives, but for none at all.
   * https://docs.aws.amazon.com/secretsmanager/latest/userguide/manage_delete-secret.html
   */
  secretRecoveryDays: 7,

  /**
   * Seconds that a DNS answer may live when traffic is about to move: five minutes, the longest that clients go on to
   * reach the old target.
   */
  loweredTtlSeconds: 300,

  /**
   * Seconds that Cloudflare's "automatic" TTL means; the records carry it as 1.
   * https://developers.cloudflare.com/dns/manage-dns-records/reference/ttl/
   */
  automaticTtlSeconds: 300,

  /** Days that a waiver may be given for: an exception that lasts longer is a new rule. */
  waiverDays: 30,

  /** Seconds by which another clock may run ahead of this one; a time later than that is not believed. */
  clockSkewSeconds: 60,
} as const;
