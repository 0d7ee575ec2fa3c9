import { z } from "zod";
import { fromBase64, type Envelope } from "./envelope.ts";
import { parseJson, signedLimits, UnreadableError } from "./json.ts";

/** https://github.com/in-toto/attestation/blob/main/spec/v1/statement.md */
export const statementType = "https://in-toto.io/Statement/v1";

const hex = (length: number) => z.string().regex(new RegExp(`^[0-9a-f]{${length}}$`));

const subjectSchema = z.looseObject({
  name: z.string().max(512),
  digest: z.record(z.string(), z.string()),
});

/** One thing that a statement is about. */
export type Subject = z.infer<typeof subjectSchema>;

const statementSchema = z.strictObject({
  _type: z.literal(statementType),
  subject: z.array(subjectSchema).min(1).max(64),
  predicateType: z.string().max(256),
  predicate: z.looseObject({}),
});

/** An in-toto Statement v1 whose predicate was not looked at yet. */
export type Statement = z.infer<typeof statementSchema>;

/** What every piece of evidence says of itself, in the entry `cutover` of its predicate. */
export const evidenceMetaSchema = z.strictObject({
  /** Its name in the checklist. */
  evidence: z.string().regex(/^[a-z][a-z0-9-]{0,62}$/),
  /** When it was measured, as the report says; when it was signed, where the report says nothing. ISO 8601. */
  producedAt: z.iso.datetime(),
  report: z.strictObject({
    name: z.string().max(255),
    format: z.string().max(64),
    digest: z.strictObject({ sha256: hex(64) }),
  }),
  /** SHA-256 digests of the images that the report is about, where it says so. */
  images: z.array(hex(64)).max(64).exactOptional(),
});

/** What a piece of evidence says of itself. */
export type EvidenceMeta = z.infer<typeof evidenceMetaSchema>;

/** What a release is recognised by. */
export interface ReleaseIdentity {
  readonly version: string;
  /** SHA-256 over the whole release, hex. */
  readonly digest: string;
  /** Git commit, 40 hex digits. */
  readonly commit: string;
  /** Image references by digest, by service. */
  readonly images: Readonly<Record<string, string>>;
}

/** The subjects of every statement about a release: the release, its commit and its images. */
export function releaseSubjects(release: ReleaseIdentity): Subject[] {
  return [
    { name: release.version, digest: { sha256: release.digest } },
    { name: "git", digest: { gitCommit: release.commit } },
    ...Object.values(release.images).map((image) => {
      const [name = image, digest = ""] = image.split("@sha256:");
      return { name, digest: { sha256: digest } };
    }),
  ];
}

/**
 * What of a release a statement's subjects leave out or say otherwise; none means that it is about this release and
 * nothing else.
 */
export function subjectProblems(subjects: readonly Subject[], release: ReleaseIdentity): string[] {
  const wanted = releaseSubjects(release).map(subjectKey);
  const given = subjects.map(subjectKey);
  if (wanted.every((key) => given.includes(key)) && given.every((key) => wanted.includes(key))) {
    return [];
  }
  const [named] = subjects;
  const same = given.includes(wanted[0] ?? "");
  return [
    same
      ? "it is about other images or another commit than this release"
      : `it is about another release (${named?.name ?? "none"})`,
  ];
}

function subjectKey({ name, digest }: Subject): string {
  return JSON.stringify([name, Object.entries(digest).sort(([a], [b]) => (a < b ? -1 : 1))]);
}

/**
 * Parses the statement in an envelope; verifies nothing.
 *
 * @throws UnreadableError
 */
export function parseStatement(envelope: Envelope): Statement {
  const result = statementSchema.safeParse(parseJson(fromBase64(envelope.payload), signedLimits));
  if (result.success) return result.data;
  const where = result.error.issues[0]?.path.join(".") ?? "";
  throw new UnreadableError(
    `it holds no in-toto statement v1${where === "" ? "" : `, see ${where}`}`,
  );
}
