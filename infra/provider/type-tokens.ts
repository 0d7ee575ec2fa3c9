/** Type token of a write freeze, or of its lift. */
export const writeFreezeType = "cutover:index:WriteFreeze";

/** Type token of a database migration. */
export const migrationType = "cutover:index:Migration";

/** Type token of a dump of a database that runs in a container. */
export const databaseDumpType = "cutover:index:DatabaseDump";

/** Type token of a restore test. */
export const restoreTestType = "cutover:index:RestoreTest";

/** Type token of a probe. */
export const probeType = "cutover:index:Probe";

/** Type token of an announcement. */
export const announcementType = "cutover:index:Announcement";

/** Type token of the wait until resolvers show a lowered TTL. */
export const ttlShownType = "cutover:index:TtlShown";

/** Type token of a container that keeps its port. */
export const inPlaceServiceType = "cutover:index:InPlaceService";

/** Type token of a service under systemd on a host. */
export const systemdUnitType = "cutover:index:SystemdUnit";

/** Type token of a container that runs once for a release. */
export const jobType = "cutover:index:Job";

/** Type token of the state that a container is kept in. */
export const containerStateType = "cutover:index:ContainerState";

/** Type token of the release record, which holds the ledger. */
export const releaseRecordType = "cutover:index:ReleaseRecord";

/** Type token of an alarm's test. */
export const testAlarmType = "cutover:index:TestAlarm";

/** Type token of a password that is made once. */
export const generatedPasswordType = "cutover:index:GeneratedPassword";

/** Type token of an upgrade of a database by a blue/green deployment. */
export const blueGreenType = "cutover:index:BlueGreen";

/** Type token of the removal of what a blue/green upgrade kept. */
export const blueRemovalType = "cutover:index:BlueRemoval";

/** Type token of the export of a D1 database. */
export const d1ExportType = "cutover:index:D1Export";
