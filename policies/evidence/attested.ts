import { z } from "zod";
import { evidenceDigest, type SubmittedDocument } from "../contract/documents.ts";
import { parseDocument } from "../contract/envelope.ts";
import { UnreadableError } from "../contract/json.ts";
import type { Predicate } from "../contract/predicates.ts";
import type { Readings } from "../contract/readings.ts";
import { parseStatement, type EvidenceMeta, type Statement } from "../contract/statement.ts";
import { TrustError, type Trust } from "../signatures/trust.ts";
import { verifyDocument, type Signer } from "../signatures/verify.ts";

/** A verified statement and the document that holds it. */
interface Held<Content> {
  /** Where it lies. */
  readonly document: string;
  readonly statement: Statement;
  readonly content: Content;
}

/** A verified statement of a person. */
interface HeldOfPerson<Content> extends Held<Content> {
  /** Every principal of the person who signed: one key may have several. */
  readonly principals: readonly string[];
}

/** A document that proves nothing, and why. */
interface RefusedDocument {
  readonly document: string;
  /** The evidence that it says it is; undefined when it cannot be told. Nobody vouches for it. */
  readonly claims: string | undefined;
  readonly why: string;
}

/** What the documents of a release prove: who signed was judged, what they say was not. */
export interface Attested {
  readonly evidence: readonly Held<EvidenceMeta>[];
  readonly approvals: readonly HeldOfPerson<Predicate<"approval">>[];
  readonly waivers: readonly HeldOfPerson<Predicate<"waiver">>[];
  readonly refused: readonly RefusedDocument[];
  /** What the documents but approvals add up to, see contract/documents.ts. */
  readonly digest: string;
  /** Principals that the pack's allowed signers know. */
  readonly people: readonly string[];
  /** Why nothing could be verified: the pack's own trust files are wrong. */
  readonly trustProblem?: string;
}

/** What is known where no entry guard was told anything. */
export const nothingAttested: Attested = {
  evidence: [],
  approvals: [],
  waivers: [],
  refused: [],
  digest: "",
  people: [],
};

/** What the entry guard was told beside its facts. */
export interface Told {
  readonly attested: Attested;
  readonly readings: Readings;
}

/** What is known in a run whose entry guard has not registered. */
export const toldNothing: Told = { attested: nothingAttested, readings: {} };

/**
 * Verifies every document with the keys that the pack trusts.
 *
 * @param readTrust gives the pack's trusted signers
 * @param now milliseconds since 1970: signers expire
 */
export function attest(
  documents: readonly SubmittedDocument[],
  readTrust: () => Trust,
  now: number,
): Attested {
  const digest = evidenceDigest(documents);
  let trust: Trust;
  try {
    trust = readTrust();
  } catch (error) {
    if (!(error instanceof TrustError)) throw error;
    return { ...nothingAttested, digest, trustProblem: error.message };
  }
  const evidence: Held<EvidenceMeta>[] = [];
  const approvals: HeldOfPerson<Predicate<"approval">>[] = [];
  const waivers: HeldOfPerson<Predicate<"waiver">>[] = [];
  const refused: RefusedDocument[] = [];
  for (const { name, text, problem = "it is empty" } of documents) {
    try {
      if (text === undefined) throw new UnreadableError(problem);
      const verified = verifyDocument(text, trust, now);
      const held = { document: name, statement: verified.statement };
      const principals = principalsOf(verified.signers, trust);
      if (verified.claims === "evidence") evidence.push({ ...held, content: verified.meta });
      else if (verified.claims === "approval") {
        approvals.push({ ...held, content: verified.predicate, principals });
      } else waivers.push({ ...held, content: verified.predicate, principals });
    } catch (error) {
      if (!(error instanceof UnreadableError)) throw error;
      refused.push({ document: name, claims: claimOf(text), why: error.message });
    }
  }
  const people = trust.people.flatMap((person) => person.principals);
  return { evidence, approvals, waivers, refused, digest, people };
}

function principalsOf(signers: readonly Signer[], { people }: Trust): string[] {
  return signers.flatMap((signer) =>
    signer.kind === "person"
      ? people
          .filter(({ principals }) => principals.includes(signer.name))
          .flatMap(({ principals }) => principals)
      : [],
  );
}

const claim = z.object({ predicate: z.object({ cutover: z.object({ evidence: z.string() }) }) });

function claimOf(text: string | undefined): string | undefined {
  if (text === undefined) return undefined;
  try {
    const { data } = claim.safeParse(parseStatement(parseDocument(text).envelope));
    return data?.predicate.cutover.evidence;
  } catch {
    return undefined;
  }
}
