import type { CoverFacts } from "./contract/facts.ts";

/** What a release covers, by the names of contract/facts.ts. */
export type Noun = keyof CoverFacts;

/** How a gate recognises the resources of a noun. */
export interface NounRow {
  /** The word for one of them in a message. */
  readonly one: string;
  readonly type: string;
  /** The input that holds the name by which the cloud knows it. */
  readonly nameIn: string;
  /** Whether a system may do without. Where it may not, an empty list closes the gate. */
  readonly mayBeNone: boolean;
}

/** The resources that gates look for. */
export const nouns: Readonly<Record<Noun, NounRow>> = {
  databases: {
    one: "database",
    type: "aws:rds/instance:Instance",
    nameIn: "identifier",
    mayBeNone: false,
  },
  backups: {
    one: "backup vault",
    type: "aws:backup/vault:Vault",
    nameIn: "name",
    mayBeNone: false,
  },
  buckets: {
    one: "bucket",
    type: "aws:s3/bucket:Bucket",
    nameIn: "bucket",
    mayBeNone: false,
  },
  archives: {
    one: "R2 bucket",
    type: "cloudflare:index/r2Bucket:R2Bucket",
    nameIn: "name",
    mayBeNone: true,
  },
  services: {
    one: "container",
    type: "docker:index/container:Container",
    nameIn: "name",
    mayBeNone: false,
  },
};
