import { guardType } from "../../policies/contract/facts.ts";
import { announcement } from "./announcement.ts";
import { blueGreen } from "./blue-green.ts";
import { blueRemoval } from "./blue-removal.ts";
import { containerState } from "./container-state.ts";
import { d1Export } from "./d1-export.ts";
import { databaseDump } from "./database-dump.ts";
import { generatedPassword } from "./generated-password.ts";
import { guard } from "./guard.ts";
import { inPlaceService } from "./in-place-service.ts";
import { job } from "./job.ts";
import { migration } from "./migration.ts";
import { probe } from "./probe.ts";
import { releaseRecord } from "./release-record.ts";
import { restoreTest } from "./restore-test.ts";
import { runProvider } from "./serve.ts";
import { testAlarm } from "./test-alarm.ts";
import { systemdUnit } from "./systemd-unit.ts";
import {
  announcementType,
  blueGreenType,
  blueRemovalType,
  containerStateType,
  d1ExportType,
  databaseDumpType,
  generatedPasswordType,
  inPlaceServiceType,
  jobType,
  migrationType,
  probeType,
  releaseRecordType,
  systemdUnitType,
  restoreTestType,
  testAlarmType,
  ttlShownType,
  writeFreezeType,
} from "./type-tokens.ts";
import { ttlShown } from "./ttl-shown.ts";
import { liftStandingFreezes, writeFreeze } from "./write-freeze.ts";

await runProvider({
  name: "cutover",
  version: "0.1.0",
  types: {
    [guardType]: guard,
    [writeFreezeType]: writeFreeze,
    [migrationType]: migration,
    [generatedPasswordType]: generatedPassword,
    [blueGreenType]: blueGreen,
    [blueRemovalType]: blueRemoval,
    [databaseDumpType]: databaseDump,
    [d1ExportType]: d1Export,
    [restoreTestType]: restoreTest,
    [inPlaceServiceType]: inPlaceService,
    [jobType]: job,
    [containerStateType]: containerState,
    [probeType]: probe,
    [ttlShownType]: ttlShown,
    [announcementType]: announcement,
    [systemdUnitType]: systemdUnit,
    [releaseRecordType]: releaseRecord,
    [testAlarmType]: testAlarm,
  },
  onShutdown: () => liftStandingFreezes("the run ended before the freeze was completed"),
});
