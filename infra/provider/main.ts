import { guardType } from "../../policies/contract/facts.ts";
import { announcement } from "./announcement.ts";
import { guard } from "./guard.ts";
import { migration } from "./migration.ts";
import { probe } from "./probe.ts";
import { releaseRecord } from "./release-record.ts";
import { runProvider } from "./serve.ts";
import {
  announcementType,
  migrationType,
  probeType,
  releaseRecordType,
  writeFreezeType,
} from "./type-tokens.ts";
import { liftStandingFreezes, writeFreeze } from "./write-freeze.ts";

await runProvider({
  name: "cutover",
  version: "0.1.0",
  types: {
    [guardType]: guard,
    [writeFreezeType]: writeFreeze,
    [migrationType]: migration,
    [probeType]: probe,
    [announcementType]: announcement,
    [releaseRecordType]: releaseRecord,
  },
  onShutdown: () => liftStandingFreezes("the run ended before the freeze was completed"),
});
