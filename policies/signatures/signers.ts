import { isNode, LineCounter, parseDocument } from "yaml";
import { z } from "zod";

const name = z.string().regex(/^[a-z][a-z0-9-]{0,62}$/, "a name in kebab case is required");
const file = z
  .string()
  .regex(
    /^(?:\w[\w.-]*\/)*\w[\w.-]*$/,
    "the path of a file in policies/trust is required, such as keys/ci.pem",
  );
const exact = z.string().regex(/^[^\s*]{1,512}$/, "an exact value is required, without *");

const signerSchema = z
  .strictObject({
    name,
    /** An Ed25519 or ECDSA P-256 key, PEM. */
    publicKey: file.optional(),
    /** Who a sigstore certificate must be issued to, and by whom. */
    identity: z.strictObject({ issuer: exact, subject: exact }).optional(),
    /** What sigstore bundles are verified with. */
    trustedRoot: file.optional(),
    /** The pieces of evidence that it may sign, by their names in the checklist; `*` stands for all. */
    evidence: z.union([z.literal("*"), z.array(name).min(1, "a name of evidence is required")], {
      error: `a list of names of evidence is required, or "*"`,
    }),
  })
  .refine((signer) => (signer.publicKey === undefined) !== (signer.identity === undefined), {
    message: "either publicKey or identity is required",
  })
  .refine((signer) => signer.identity === undefined || signer.trustedRoot !== undefined, {
    message: "an identity requires trustedRoot",
  });

const signersSchema = z.strictObject({ signers: z.array(signerSchema) });

/** One entry of signers.yaml. */
export type SignerEntry = z.infer<typeof signerSchema>;

/** What signers.yaml says. */
export interface Signers {
  readonly entries: readonly { readonly line: number; readonly signer: SignerEntry }[];
  /** What is wrong with it, by line. */
  readonly problems: readonly { readonly line: number; readonly problem: string }[];
}

/** Parses signers.yaml; opens none of the files that it names. */
export function parseSigners(text: string): Signers {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const faults = [...document.errors, ...document.warnings].map(({ code, pos }) => ({
    line: lines.linePos(pos[0]).line,
    problem: `it is no plain YAML (${code})`,
  }));
  if (faults.length > 0) return { entries: [], problems: faults };
  const lineOf = (path: readonly PropertyKey[]): number => {
    for (let length = path.length; length > 0; length -= 1) {
      const node = document.getIn(path.slice(0, length), true);
      const [start] = isNode(node) ? (node.range ?? []) : [];
      if (start !== undefined) return lines.linePos(start).line;
    }
    return 1;
  };
  // An alias could stand for very much, and no list of signers needs one.
  const result = signersSchema.safeParse(document.toJS({ maxAliasCount: 0 }));
  return {
    entries: (result.data?.signers ?? []).map((signer, index) => ({
      line: lineOf(["signers", index]),
      signer,
    })),
    problems: (result.error?.issues ?? []).map(({ path, message }) => ({
      line: lineOf(path),
      problem: path.length === 0 ? message : `${path.map(String).join(".")}: ${message}`,
    })),
  };
}
