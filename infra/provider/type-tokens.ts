/** Type token of a write freeze, or of its lift. */
export const writeFreezeType = "cutover:index:WriteFreeze";

/** Type token of a database migration. */
export const migrationType = "cutover:index:Migration";

/** Type token of a probe. */
export const probeType = "cutover:index:Probe";

/** Type token of an announcement. */
export const announcementType = "cutover:index:Announcement";

/** Type token of the release record, which holds the ledger. */
export const releaseRecordType = "cutover:index:ReleaseRecord";
