import { defineGate, fail } from "../../gate.ts";
import { requirements } from "../../requirements.ts";
import { isAtLeast, shown } from "../../values.ts";

const days = requirements.backupRetentionDays;

/** Automated backups are kept long enough to go back to the days before the release. */
export const databaseBackupsRetained = defineGate({
  id: "database-backups-retained",
  about: "resource",
  noun: "databases",
  requires: `Every database keeps its automated backups at least ${days} days.`,
  because: "Damage that is found after the weekend could not be undone.",
  severity: "critical",
  required: `backupRetentionPeriod is at least ${days} days`,
  remedy: `pulumi config set --path cutover:database.backupRetentionDays ${days}`,
  judge: ({ props }) =>
    isAtLeast(props["backupRetentionPeriod"], days)
      ? []
      : [fail(`backupRetentionPeriod is ${shown(props["backupRetentionPeriod"])}`)],
});
