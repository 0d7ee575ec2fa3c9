import { nothingAttested } from "../../policies/evidence/attested.ts";
import { parseChecklist } from "../../policies/contract/checklist.ts";
import { evidenceDigest } from "../../policies/contract/documents.ts";
import { phases } from "../../policies/contract/phase.ts";
import { stepIds } from "../../policies/contract/steps.ts";
import type { GuardFacts } from "../../policies/contract/facts.ts";
import type { Told } from "../../policies/evidence/attested.ts";

const sampleServices = ["api", "worker", "web", "frontend", "admin"];

/** A declared resource, as the pack sees it. */
export interface SampleResource {
  type: string;
  props: Record<string, unknown>;
}

/** What a gate is shown: the facts of its guard, the time, and the resources that were declared, by short name. */
export interface World {
  facts: Record<string, unknown>;
  now: number;
  rehearsal: boolean;
  told: Told;
  resources: Record<string, SampleResource>;
}

/** A checklist with one gate, which asks for nothing signed. */
export const sampleChecklist = parseChecklist(
  `
system: flagship
title: A sample
gates:
  - id: owners-assigned
    title: Somebody is assigned to the rollback.
    phase: cutover
    kind: owners-assigned
    requires: { owners: [rollback] }
    severity: high
    why: Everybody would wait for somebody else.
    remedy: name an owner
    waivable: true
`,
  "flagship",
  "checklists/flagship.yaml",
);

/** A person whom the samples' trust knows. */
export const samplePerson = "release-manager@example.com";

/** Stands in every sample where a secret could stand; no message may contain it. */
export const secretText = "s3cret-that-no-message-may-show";

/** A digest as images carry it. */
const imageDigest = `sha256:${"4f".repeat(32)}`;

const unitText = `[Unit]
Description=orders web

[Service]
Type=notify
Restart=on-failure
Environment="PORT=8080"
Environment="RELEASE_IMAGE=registry.example.com/orders/web@${imageDigest}"
User=orders
MemoryMax=512M
NoNewPrivileges=yes
CapabilityBoundingSet=
SocketBindAllow=tcp:8080
SocketBindDeny=any
ProtectSystem=strict

[Install]
WantedBy=multi-user.target
`;

const now = Date.parse("2026-03-02T12:00:00Z");

/** The facts of a release that is ready for its cutover, at its entry guard. */
export const readyFacts: GuardFacts = {
  guard: "entry",
  system: "flagship",
  stack: "production",
  phase: "cutover",
  direction: "forward",
  release: {
    version: "v1.1.0",
    commit: "c0ffee".padEnd(40, "0"),
    digest: "d1".repeat(32),
    images: { api: `registry.example.com/orders/api@${imageDigest}` },
    authors: ["developer@example.com"],
    migrations: ["0001_orders.sql"],
  },
  before: {
    phase: "lower-ttl",
    release: "v1.1.0",
    serving: "v1.0.0",
    recorded: ["v1.0.0"],
    ttl: { seconds: 60, previousSeconds: 3600, changedAt: "2026-03-02T10:00:00Z" },
    times: { prepare: "2026-02-20T10:00:00Z", "lower-ttl": "2026-03-02T10:00:00Z" },
    record: {
      release: "v1.0.0",
      at: "2026-01-10T10:00:00Z",
      verdicts: { "phase-in-order": "pass" },
    },
    restoreTest: { at: "2026-02-20T10:00:00Z", recoveryPoint: "orders-v1-0-0-0b7e91c2" },
    legacyExport: null,
  },
  phases: [...phases],
  notBefore: {},
  replaced: [],
  identity: { certificates: { "app.example.com": "external" }, redirects: {} },
  legacy: { d1: null },
  steps: stepIds.flatMap((id) => (id === "services" ? sampleServices : [id])),
  plannedCutover: "2026-03-10T02:00:00Z",
  ttlSeconds: 60,
  owners: { rollback: samplePerson },
  declared: { "services.web.port": "8080", "restoreTest.queries.orders": "SELECT true" },
  evidenceDigest: evidenceDigest([]),
  checklistDigest: sampleChecklist.digest,
  covers: {
    databases: ["orders"],
    containerDatabases: [],
    backups: ["orders-vault"],
    buckets: ["orders-documents"],
    archives: ["orders-archive"],
    units: [],
    services: ["flagship-green-api"],
    secrets: ["orders/jwt"],
    alarms: ["orders-errors"],
  },
  clockScale: 1,
  configDigest: "f3".repeat(32),
};

/** A world in which every gate is open: tests break one thing in it at a time. */
export function openWorld(): World {
  return structuredClone({
    facts: { ...readyFacts },
    now,
    rehearsal: false,
    told: {
      attested: { ...nothingAttested, digest: readyFacts.evidenceDigest, people: [samplePerson] },
      readings: {},
    },
    resources: {
      database: {
        type: "aws:rds/instance:Instance",
        props: {
          identifier: "orders",
          storageEncrypted: true,
          password: secretText,
          backupRetentionPeriod: 7,
          deletionProtection: true,
          skipFinalSnapshot: false,
          finalSnapshotIdentifier: "orders-final",
          parameterGroupName: "orders",
        },
      },
      parameterGroup: {
        type: "aws:rds/parameterGroup:ParameterGroup",
        props: { name: "orders", parameters: [{ name: "rds.force_ssl", value: "1" }] },
      },
      vault: { type: "aws:backup/vault:Vault", props: { name: "orders-vault" } },
      vaultLock: {
        type: "aws:backup/vaultLockConfiguration:VaultLockConfiguration",
        props: { backupVaultName: "orders-vault", minRetentionDays: 7 },
      },
      bucket: { type: "aws:s3/bucket:Bucket", props: { bucket: "orders-documents" } },
      versioning: {
        type: "aws:s3/bucketVersioning:BucketVersioning",
        props: { bucket: "orders-documents", versioningConfiguration: { status: "Enabled" } },
      },
      encryption: {
        type: "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration",
        props: {
          bucket: "orders-documents",
          rules: [{ applyServerSideEncryptionByDefault: { sseAlgorithm: "aws:kms" } }],
        },
      },
      block: {
        type: "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock",
        props: {
          bucket: "orders-documents",
          blockPublicAcls: true,
          blockPublicPolicy: true,
          ignorePublicAcls: true,
          restrictPublicBuckets: true,
        },
      },
      lifecycle: {
        type: "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration",
        props: {
          bucket: "orders-documents",
          rules: [
            {
              id: "keep",
              status: "Enabled",
              filter: { prefix: "" },
              noncurrentVersionExpiration: { noncurrentDays: 30 },
            },
          ],
        },
      },
      bucketPolicy: {
        type: "aws:s3/bucketPolicy:BucketPolicy",
        props: {
          bucket: "orders-documents",
          policy: JSON.stringify({
            Statement: [
              {
                Effect: "Deny",
                Principal: "*",
                Action: "s3:*",
                Resource: ["arn:aws:s3:::orders-documents", "arn:aws:s3:::orders-documents/*"],
                Condition: { Bool: { "aws:SecureTransport": "false" } },
              },
            ],
          }),
        },
      },
      archive: {
        type: "cloudflare:index/r2Bucket:R2Bucket",
        props: { accountId: secretText, name: "orders-archive" },
      },
      archiveLock: {
        type: "cloudflare:index/r2BucketLock:R2BucketLock",
        props: {
          bucketName: "orders-archive",
          rules: [
            { id: "keep", enabled: true, condition: { type: "Age", maxAgeSeconds: 30 * 86_400 } },
          ],
        },
      },
      container: {
        type: "docker:index/container:Container",
        props: {
          name: "flagship-green-api",
          image: `registry.example.com/orders/api@${imageDigest}`,
          envs: [`PASSWORD=${secretText}`],
          healthcheck: {
            tests: ["CMD", "wget", "-q", "--spider", "http://127.0.0.1:8080/healthz"],
            interval: "1s",
            timeout: "2s",
            retries: 3,
          },
          wait: true,
          restart: "unless-stopped",
          memory: 256,
          capabilities: { drops: ["ALL"] },
          securityOpts: ["no-new-privileges"],
          logOpts: { "max-size": "10m" },
        },
      },
      unit: {
        type: "cutover:index:SystemdUnit",
        props: {
          name: "orders-web",
          files: {
            "/etc/systemd/system/orders-web.service": { text: unitText, mode: "0644" },
            "/etc/orders/web.env": { text: `PASSWORD="${secretText}"`, mode: "0600" },
          },
          health: { url: "http://203.0.113.10:8080/healthz", address: "203.0.113.10" },
        },
      },
      secret: {
        type: "aws:secretsmanager/secret:Secret",
        props: { name: "orders/jwt", recoveryWindowInDays: 30 },
      },
      topic: { type: "aws:sns/topic:Topic", props: { name: "orders-alarms" } },
      subscription: {
        type: "aws:sns/topicSubscription:TopicSubscription",
        props: {
          topic: "arn:aws:sns:eu-central-1:123456789012:orders-alarms",
          endpoint: secretText,
        },
      },
      alarm: {
        type: "aws:cloudwatch/metricAlarm:MetricAlarm",
        props: {
          name: "orders-errors",
          actionsEnabled: true,
          alarmActions: ["arn:aws:sns:eu-central-1:123456789012:orders-alarms"],
        },
      },
      snapshot: {
        type: "aws:rds/snapshot:Snapshot",
        props: { dbInstanceIdentifier: "orders", tags: { "cutover:release": "v1.1.0" } },
      },
    },
  });
}
