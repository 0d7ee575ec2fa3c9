import type { CoverFacts } from "./contract/facts.ts";

/** What a release covers, by the names of contract/facts.ts. */
export type Noun = keyof CoverFacts;

/** How a gate recognises the resources of a noun. */
export interface NounRow {
  /** The word for one of them in a message. */
  readonly one: string;
  /** Type tokens. They may be several, with inputs of the same names. */
  readonly types: readonly string[];
  /** The input that holds the name by which the cloud knows it. */
  readonly nameIn: string;
  /**
   * Whether a system may do without: always, never, or where it has one of another noun. Where it may not, an empty list
   * closes the gate.
   */
  readonly mayBeNone: boolean | Noun;
}

/** The resources that gates look for. */
export const nouns: Readonly<Record<Noun, NounRow>> = {
  databases: {
    one: "database",
    types: ["aws:rds/instance:Instance"],
    nameIn: "identifier",
    mayBeNone: "containerDatabases",
  },
  containerDatabases: {
    one: "database container",
    types: ["docker:index/container:Container"],
    nameIn: "name",
    mayBeNone: "databases",
  },
  backups: {
    one: "backup vault",
    types: ["aws:backup/vault:Vault"],
    nameIn: "name",
    mayBeNone: "containerDatabases",
  },
  buckets: {
    one: "bucket",
    types: ["aws:s3/bucket:Bucket"],
    nameIn: "bucket",
    mayBeNone: true,
  },
  archives: {
    one: "R2 bucket",
    types: ["cloudflare:index/r2Bucket:R2Bucket"],
    nameIn: "name",
    mayBeNone: true,
  },
  services: {
    one: "container",
    types: ["docker:index/container:Container", "cutover:index:InPlaceService"],
    nameIn: "name",
    mayBeNone: "units",
  },
  units: {
    one: "unit",
    types: ["cutover:index:SystemdUnit"],
    nameIn: "name",
    mayBeNone: "services",
  },
  secrets: {
    one: "secret",
    types: ["aws:secretsmanager/secret:Secret"],
    nameIn: "name",
    mayBeNone: true,
  },
  alarms: {
    one: "alarm",
    types: ["aws:cloudwatch/metricAlarm:MetricAlarm"],
    nameIn: "name",
    mayBeNone: true,
  },
};
