import { dotted, setValue } from "../config-path.ts";
import type { Problem } from "../errors.ts";
import type { BackupsConfig } from "./config.ts";

/** What is wrong between the keys of `backups`. */
export function backupRelations({
  backups,
}: {
  readonly backups?: BackupsConfig | undefined;
}): Problem[] {
  if (backups === undefined) return [];
  const { keepDays, lockMinRetentionDays: locked } = backups;
  if (keepDays >= locked) return [];
  return [
    {
      where: dotted(["backups", "keepDays"]),
      found: `${keepDays} days, but the vault is locked for ${locked}`,
      required: `at least lockMinRetentionDays (${locked} days): a locked vault refuses the backup`,
      todo: setValue(["backups", "keepDays"], String(locked)),
    },
  ];
}
