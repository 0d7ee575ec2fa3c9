import { D1Database } from "@pulumi/cloudflare/d1database.js";
import type { BucketConfig } from "../buckets/config.ts";
import { Component, type StepOptions } from "../component.ts";
import { awsRegion } from "../databases/dump-store.ts";
import type { StorePlace } from "../provider/object-store.ts";
import type { LegacyConfig } from "./config.ts";
import { D1Export } from "./d1-export.ts";

/** The group `legacy.d1` of the stack config. */
export type D1Config = NonNullable<LegacyConfig["d1"]>;

/** What the legacy system's database is made from. */
export interface LegacyD1Args {
  readonly settings: D1Config;
  /** False from the phase before `decommission` on: the engine deletes nothing that is protected. */
  readonly protect: boolean;
  /** Set where the last export is made. */
  readonly lastExport?: LastExportArgs | undefined;
}

/** What the last export is made for. */
export interface LastExportArgs {
  readonly stack: string;
  readonly release: string;
  /** The row of `buckets` that `exportTo` names. */
  readonly bucket: BucketConfig;
}

/** Seconds after which a repeated run exports again: the checklist wants one of the last seven days. */
const renewAfterSeconds = 24 * 60 * 60;

/** Exporting 10 GB, the most that D1 holds, takes Cloudflare well under an hour. */
const exportSeconds = 60 * 60;

/** The D1 database of the legacy system: there until `decommission`, which only follows on a last export. */
export class LegacyD1 extends Component {
  /** Undefined where none is made. */
  readonly lastExport: D1Export | undefined;

  constructor(name: string, args: LegacyD1Args, step: StepOptions) {
    super("legacy:LegacyD1", name, step);
    const database = this.#createDatabase(name, args);
    this.lastExport = this.#exportDatabase(name, args, database);
    this.registerOutputs({ database: database.name });
  }

  #createDatabase(name: string, { settings, protect }: LegacyD1Args): D1Database {
    const { accountId, adopt } = settings;
    return new D1Database(
      `${name}-database`,
      { accountId, name: settings.name },
      {
        ...this.child,
        protect,
        // Each of them would replace the database, and its data with it.
        ignoreChanges: ["accountId", "name", "jurisdiction", "primaryLocationHint"],
        ...(adopt === undefined ? {} : { import: `${accountId}/${adopt}` }),
      },
    );
  }

  #exportDatabase(
    name: string,
    { settings, lastExport }: LegacyD1Args,
    database: D1Database,
  ): D1Export | undefined {
    if (lastExport === undefined) return undefined;
    const { stack, release, bucket } = lastExport;
    return new D1Export(
      `${name}-export`,
      {
        stack,
        release,
        accountId: settings.accountId,
        databaseId: database.uuid,
        name: settings.name,
        store: storeOf(bucket),
        renewAfterSeconds,
        deadlineSeconds: exportSeconds,
      },
      this.after(database),
    );
  }
}

function storeOf(bucket: BucketConfig): StorePlace {
  if (bucket.store === "r2") {
    return { store: "r2", bucket: bucket.name, accountId: bucket.accountId };
  }
  const region = awsRegion();
  return {
    store: "s3",
    bucket: bucket.name,
    ...(region === undefined ? {} : { region }),
    ...(bucket.objectLockDays === undefined ? {} : { lockDays: bucket.objectLockDays }),
  };
}
