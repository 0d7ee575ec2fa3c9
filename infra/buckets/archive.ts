import { R2Bucket } from "@pulumi/cloudflare/r2bucket.js";
import { R2BucketLock } from "@pulumi/cloudflare/r2bucketLock.js";
import { Component, type StepOptions } from "../component.ts";
import type { Config } from "../config.ts";

/** What an R2 bucket is made from: the config's `archive` group. */
export interface ArchiveArgs {
  readonly settings: Config["archive"];
}

const secondsPerDay = 86_400;

/** An R2 bucket whose objects are locked for a while: R2 has no versioning, so a lock is what keeps them. */
export class Archive extends Component {
  constructor(name: string, args: ArchiveArgs, step: StepOptions) {
    super("buckets:Archive", name, step);
    const bucket = this.#createBucket(name, args);
    this.#lock(name, args, bucket);
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
}
