import { z } from "zod";
import { factAt, factProblem } from "../checks/fact-path.ts";
import { fields, fieldWords, judgeField, type CheckContext } from "../checks/fields.ts";
import { joined, shownName } from "../checks/names.ts";
import { inconclusive, type Reason } from "../gate.ts";
import { releaseKind } from "../kind.ts";

/** Facts that stand in the files of a project. */
const known = /^(?:release|declared|owners)\.|^(?:plannedCutover|checklistDigest|evidenceDigest)$/;

/** The facts that this run tells its guards are as they must be: the release, the ledger, the stack config. */
export const factsShow = releaseKind({
  kind: "facts-show",
  title: "What the release, the ledger and the stack config say is as it must be.",
  judges: "release",
  requires: z.strictObject({
    fields: fields
      .superRefine((asked, context) => {
        for (const path of Object.keys(asked)) {
          const message = factProblem(path);
          if (message !== undefined) context.addIssue({ code: "custom", path: [path], message });
        }
      })
      .describe("what each fact must be, by its dotted path"),
  }),
  asksStack: ({ fields }) => Object.keys(fields).some((path) => !known.test(path)),
  required: ({ fields }) => joined(fieldWords(fields)),
  judge: (_, { fields }, { facts, now }) =>
    Object.entries(fields).flatMap(([path, wanted]) => {
      const value = factAt(path, facts);
      if (value === undefined || value === null) return [absent(path)];
      const context = { facts, now, whole: facts };
      return Object.entries(wanted)
        .flatMap(([check, asked]) => judgeReadings(path, value, { [check]: asked }, context))
        .map((reason) => ({ ...reason, found: `${shownName(path)} ${reason.found}` }));
    }),
});

/** The stack config comes as texts: one that reads as a number, as true or false or as a list counts as that too. */
function judgeReadings(
  path: string,
  value: unknown,
  wanted: Readonly<Record<string, unknown>>,
  context: CheckContext,
): Reason[] {
  const readings = path.startsWith("declared.") ? [value, ...readAs(value)] : [value];
  const judged = readings.map((reading) => judgeField(reading, wanted, context));
  const best = [
    (reasons: Reason[]) => reasons.length === 0,
    (reasons: Reason[]) => reasons.every(({ verdict }) => verdict === "fail"),
    () => true,
  ];
  return best.flatMap((is) => judged.filter(is))[0] ?? [];
}

function readAs(value: unknown): unknown[] {
  if (typeof value !== "string") return [];
  const list = value
    .split(",")
    .map((entry) => entry.trim())
    .filter((entry) => entry !== "");
  if (value === "true" || value === "false") return [value === "true", list];
  const number = Number(value);
  return String(number) === value && Number.isFinite(number) ? [number, list] : [list];
}

/** What says where a fact comes from, by the begin of its path, and the command that sets it. */
const origins: readonly {
  readonly begin: string;
  readonly found: (name: string) => string;
  readonly remedy: (name: string) => string;
}[] = [
  {
    begin: "declared.",
    found: (key) => `the stack config declares no ${key}`,
    remedy: (key) => `pulumi config set --path cutover:${key} <value>`,
  },
  {
    begin: "owners.",
    found: (task) => `nobody owns ${task}`,
    remedy: (task) => `pulumi config set --path cutover:owners.${task} <principal>`,
  },
  {
    begin: "plannedCutover",
    found: () => "the stack config declares no time of the cutover",
    remedy: () => "pulumi config set cutover:cutoverAt <time>",
  },
];

/** Groups of the stack config whose keys have dots themselves, which `--path` would take apart. */
const dottedKeys = /^(?:dns\.(?:names|zones)|hosts|identity\.certificates)\./;

function absent(path: string): Reason {
  const origin = origins.find(({ begin }) => path.startsWith(begin));
  if (origin === undefined) return inconclusive(`${shownName(path)} is not known in this run`);
  const name = path.slice(origin.begin.length);
  return inconclusive(
    origin.found(shownName(name)),
    // A command is there to be copied, so it holds no name that a shell would read otherwise.
    {
      remedy:
        /^[\w.-]{0,64}$/.test(name) && !dottedKeys.test(name)
          ? origin.remedy(name)
          : "declare it in the stack config",
    },
  );
}
