import { gateName } from "../policies/contract/checklist.ts";
import { evidenceDigest } from "../policies/contract/documents.ts";
import { gateTable } from "../policies/contract/gates.ts";
import { kinds } from "../policies/kinds.ts";
import { approved } from "../policies/kinds/approved.ts";
import { requirements } from "../policies/requirements.ts";
import { namespaceOf, waiverNamespace } from "../policies/signatures/roles.ts";
import { loadDocuments } from "../infra/evidence/load-documents.ts";
import { OperatorError, problemText } from "../infra/errors.ts";
import { readProject, type Choice, type Project } from "./project.ts";
import { personOf, placeFor, signWithSsh, statementOf, writeDocument } from "./sign.ts";

/** What people who sign tell. */
export interface SignOptions extends Choice {
  readonly key: string;
  /** Principal, when the key has several. */
  readonly as?: string;
  readonly out?: string;
}

/** What was signed. */
export interface Signed {
  readonly file: string;
  readonly principal: string;
  readonly project: Project;
}

/**
 * Signs an approval of a phase of a release in a role. It is about the release, the evidence and the checklist as they
 * are now: when one of them changes, it is void.
 *
 * @throws OperatorError when the checklist asks for no such role, or the key does not have it
 */
export async function approve(options: SignOptions & { readonly role: string }): Promise<Signed> {
  const project = readProject(options);
  const { config, checklist, release, root, stack } = project;
  const { phase } = config;
  const { role } = options;
  const asked = checklist.gates
    .filter((gate) => gate.phase.includes(phase))
    .flatMap(({ kind: name, requires }) => {
      const kind = kinds.find((one) => one.kind === name);
      if (kind?.judges !== "release") return [];
      const { data } = kind.requires.safeParse(requires);
      if (data === undefined) return [];
      const barred = name === approved.kind ? approved.requires.parse(requires).barred : "nobody";
      return [{ roles: kind.roles?.(data) ?? [], barred }];
    });
  const roles = [...new Set(asked.flatMap((one) => one.roles))];
  if (!roles.includes(role)) {
    const required =
      roles.length === 0 ? "no approval at all" : `an approval as ${roles.join(", as ")}`;
    throw new OperatorError(
      problemText("Nothing was signed.", [
        {
          where: "--role, --phase",
          found: `${role}, for phase ${phase}`,
          required: `what the checklist asks for: ${required}`,
          todo: "npx cutover approve --role <role> --phase <phase>",
        },
      ]),
    );
  }
  const { principal, key } = personOf(project, options.key, namespaceOf(role), options.as);
  const mine = asked.filter((one) => one.roles.includes(role));
  if (mine.some(({ barred }) => barred === "author") && release.authors.includes(principal)) {
    throw new OperatorError(
      problemText("Nothing was signed.", [
        {
          where: "the approver",
          found: `${principal}, who made ${release.version}`,
          required: "somebody who did not make it",
          todo: "ask somebody else who has the role",
        },
      ]),
    );
  }
  const documents = await loadDocuments(config.evidence, release.version, root);
  const lost = documents.filter(({ problem }) => problem !== undefined);
  if (lost.length > 0) {
    throw new OperatorError(
      problemText(
        "Nothing was signed: the evidence cannot be read whole.",
        lost.map(({ name, problem = "" }) => ({
          where: name,
          found: problem,
          required: "evidence that can be read",
          todo: "mend or remove it, see npx cutover verify",
        })),
      ),
    );
  }
  const statement = statementOf(project, "approval", {
    stack,
    phase,
    role,
    approver: principal,
    evidenceDigest: evidenceDigest(documents),
    checklistDigest: checklist.digest,
    signedAt: new Date().toISOString(),
  });
  const name = `approval-${phase}-${role}-${fileName(principal)}.intoto.jsonl`;
  const file = placeFor(project, name, options.out);
  await writeDocument(file, await signWithSsh(statement, key, namespaceOf(role)));
  return { file, principal, project };
}

/**
 * Signs an exception to one gate for one release, until it expires.
 *
 * @throws OperatorError when the gate does not exist or cannot be waived, or when the waiver would not count
 */
export async function waive(
  gate: string,
  options: SignOptions & { readonly reason: string; readonly expires: string },
): Promise<Signed> {
  const project = readProject(options);
  const { stack, checklist } = project;
  const { reason, expires } = options;
  const now = new Date();
  const until = Date.parse(expires);
  const waivable = [
    ...gateTable.filter((row) => row.waivable).map(({ id }) => id as string),
    ...checklist.gates
      .filter((row) => row.waivable)
      .map(({ id }) => gateName(checklist.system, id)),
  ];
  const problems = [
    {
      wrong: !waivable.includes(gate),
      where: "the gate",
      found: gate,
      required: `one that can be waived: ${waivable.join(", ")}`,
      todo: "name the gate as the policy pack does",
    },
    {
      wrong: reason.trim().length < 10,
      where: "--reason",
      found: `${reason.trim().length} characters`,
      required: "a reason of 10 characters or more, without secrets",
      todo: 'add --reason "why it is safe without this gate"',
    },
    {
      wrong: !(
        until > now.getTime() && until <= now.getTime() + requirements.waiverDays * 86_400_000
      ),
      where: "--expires",
      found: expires,
      required: `a time to come, at most ${requirements.waiverDays} days from now`,
      todo: `add --expires ${new Date(now.getTime() + 86_400_000).toISOString().slice(0, 16)}Z`,
    },
  ].filter(({ wrong }) => wrong);
  if (problems.length > 0) throw new OperatorError(problemText("Nothing was signed.", problems));
  const { principal, key } = personOf(project, options.key, waiverNamespace, options.as);
  const statement = statementOf(project, "waiver", {
    stack,
    gate,
    reason,
    approver: principal,
    expires: new Date(until).toISOString(),
    signedAt: now.toISOString(),
  });
  const file = placeFor(project, `waiver-${fileName(gate)}.intoto.jsonl`, options.out);
  await writeDocument(file, await signWithSsh(statement, key, waiverNamespace));
  return { file, principal, project };
}

function fileName(text: string): string {
  return text.replaceAll(/[^\w.-]+/g, "-");
}
