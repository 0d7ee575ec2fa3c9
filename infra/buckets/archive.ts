import { R2Bucket } from "@pulumi/cloudflare/r2bucket.js";
import { R2BucketCors } from "@pulumi/cloudflare/r2bucketCors.js";
import { R2BucketLifecycle } from "@pulumi/cloudflare/r2bucketLifecycle.js";
import { R2BucketLock } from "@pulumi/cloudflare/r2bucketLock.js";
import { Component, type StepOptions } from "../component.ts";
import { abortUploadsDays } from "./bucket.ts";
import type { R2Config } from "./config.ts";
import { corsRule } from "./cors.ts";

/** What an R2 bucket is made from: its row of the config's `buckets`. */
export interface ArchiveArgs {
  readonly settings: R2Config;
  /** Origins whose pages may use it, where its row has `cors`. */
  readonly corsOrigins?: readonly string[];
}

const secondsPerDay = 86_400;

/** An R2 bucket whose objects are locked for a while: R2 has no versioning, so a lock is what keeps them. */
export class Archive extends Component {
  constructor(name: string, args: ArchiveArgs, step: StepOptions) {
    super("buckets:Archive", name, step);
    const bucket = this.#createBucket(name, args);
    this.#lock(name, args, bucket);
    this.#limitLives(name, args, bucket);
    this.#letPagesUse(name, args, bucket);
    this.registerOutputs({ bucket: bucket.name });
  }

  #createBucket(name: string, { settings }: ArchiveArgs): R2Bucket {
    return new R2Bucket(
      `${name}-bucket`,
      { accountId: settings.accountId, name: settings.name },
      { ...this.child, protect: true },
    );
  }

  #lock(name: string, { settings }: ArchiveArgs, bucket: R2Bucket): void {
    if (settings.lockDays === 0) return;
    new R2BucketLock(
      `${name}-lock`,
      {
        accountId: settings.accountId,
        bucketName: settings.name,
        rules: [
          {
            id: "keep",
            enabled: true,
            condition: { type: "Age", maxAgeSeconds: settings.lockDays * secondsPerDay },
          },
        ],
      },
      this.after(bucket),
    );
  }

  #limitLives(name: string, { settings }: ArchiveArgs, bucket: R2Bucket): void {
    const whole = { enabled: true, conditions: { prefix: "" } };
    new R2BucketLifecycle(
      `${name}-lifecycle`,
      {
        accountId: settings.accountId,
        bucketName: settings.name,
        rules: [
          {
            id: "abort-unfinished-uploads",
            ...whole,
            abortMultipartUploadsTransition: {
              condition: { type: "Age", maxAge: abortUploadsDays * secondsPerDay },
            },
          },
          ...(settings.expireDays === undefined
            ? []
            : [
                {
                  id: "expire",
                  ...whole,
                  deleteObjectsTransition: {
                    condition: { type: "Age", maxAge: settings.expireDays * secondsPerDay },
                  },
                },
              ]),
        ],
      },
      this.after(bucket),
    );
  }

  #letPagesUse(name: string, { settings, corsOrigins = [] }: ArchiveArgs, bucket: R2Bucket): void {
    if (!settings.cors || corsOrigins.length === 0) return;
    const { id, origins, methods, headers, exposeHeaders, maxAgeSeconds } = corsRule(corsOrigins);
    new R2BucketCors(
      `${name}-cors`,
      {
        accountId: settings.accountId,
        bucketName: settings.name,
        rules: [{ id, allowed: { origins, methods, headers }, exposeHeaders, maxAgeSeconds }],
      },
      this.after(bucket),
    );
  }
}
