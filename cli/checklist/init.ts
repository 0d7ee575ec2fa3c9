import { existsSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { Lexer, type Token, type Tokens } from "marked";
import { Document, isMap, isSeq } from "yaml";
import type { Phase } from "../../policies/contract/phase.ts";
import { OperatorError, problemText } from "../../infra/errors.ts";
import { codeOf } from "../../infra/provider/error-text.ts";
import { shownLine } from "../../policies/checks/names.ts";
import { readText, reasonToWrite } from "./file.ts";

/** What `cutover checklist init` is told. */
export interface InitOptions {
  /** Name of the system (default: the page's title). */
  readonly system?: string;
  /** Who signs for what nothing measures yet. */
  readonly role: string;
  /** Where to write (default: policies/checklists/<system>.yaml). */
  readonly out?: string;
}

/** What was made. */
export interface Started {
  readonly file: string;
  readonly gates: number;
  /** Gates that evidence opens; the others wait for a signature. */
  readonly measured: number;
}

/** An item of a Markdown list and the headings that it stands under. */
interface Item {
  readonly text: string;
  /** The words in bold that it begins with; its text where it has none. */
  readonly label: string;
  readonly section: string;
}

/** Where a heading places what stands under it; the first that fits counts. */
const phaseWords: readonly (readonly [RegExp, Phase])[] = [
  [/\bpre\b|before|prepar/i, "cutover"],
  [/roll(?:ing)? ?back|revert|back ?out/i, "cutover"],
  [/clean ?up|decommission|retire/i, "decommission"],
  [/smoke/i, "observe"],
  [/post|after|monitor|watch|follow[ -]?up|announce/i, "finalize"],
  [/deploy|verif|validat|go[ -]?live|launch/i, "observe"],
];

/** A line whose quotes and bullets would take the lexer more levels than its stack has. */
const tooDeep = /^(?:[ \t]*(?:>|[-*+][ \t]|\d{1,9}[.)][ \t])){65}/m;

/** The phases that are entered when the release is live. */
const afterCutover: readonly Phase[] = ["observe", "finalize", "decommission"];

/** What a sentence can be measured by; the first that fits counts. */
const measures: readonly {
  readonly words: RegExp;
  readonly kind: string;
  readonly format: string;
  readonly maxAge: string;
  readonly requires: Readonly<Record<string, unknown>>;
}[] = [
  {
    words: /vulnerabilit|trivy|(?:image|security|container) scan|\bCVEs?\b/i,
    kind: "vulnerabilities-within",
    format: "trivy",
    maxAge: "7d",
    requires: { critical: 0, high: 0 },
  },
  {
    words: /type ?check|\btsc\b/i,
    kind: "findings-within",
    format: "tsc",
    maxAge: "30d",
    requires: { error: 0 },
  },
  {
    words: /\blint/i,
    kind: "findings-within",
    format: "sarif",
    maxAge: "30d",
    requires: { error: 0 },
  },
  {
    words: /\btests?\b.*\b(?:pass|green|succe|run\b)|\b(?:run|all)\b.*\btests?\b/i,
    kind: "tests-passed",
    format: "junit",
    maxAge: "30d",
    requires: { atLeast: 1 },
  },
  {
    words: /\bCI\b|pipeline|workflow|\bbuild\b.*\b(?:pass|green|succe)/,
    kind: "run-passed",
    format: "ci-run",
    maxAge: "30d",
    requires: { properties: ["CI_RUN_SUCCEEDED"] },
  },
];

/**
 * Makes a start of a checklist from the headings and bullets of a Markdown page: one gate for each bullet. What can be
 * measured asks for evidence; the rest is signed by a person, as it was when the page was followed by hand.
 *
 * @throws OperatorError when the page cannot be read or has no bullet, or the checklist is there already
 */
export function startChecklist(page: string, options: InitOptions): Started {
  const text = readText(page, "a page with headings and bullets, Markdown");
  if (tooDeep.test(text)) {
    throw refused(page, "quotes or bullets far within each other", "a plain page", "flatten it");
  }
  const { title, items } = itemsOf(text);
  const system =
    options.system ?? slug(title === "" ? basename(page).replace(/\..*$/, "") : title, 30);
  if (items.length === 0) {
    throw refused(page, "no bullet", "a page with a bullet for each thing to check", "add bullets");
  }
  expectName("--system", system, "name it with --system");
  expectName("--role", options.role, "name another one with --role");
  const name = `${system}.yaml`;
  const file = options.out ?? join("policies", "checklists", name);
  if (basename(file) !== name) {
    throw refused(
      "--out",
      file === "" ? "no name" : file,
      `a file ${name}, called as its system is`,
      "name another one with --out, or another system with --system",
    );
  }
  const ids = new Set<string>();
  const gates = items.map((item) => gateOf(item, uniqueId(item.label, ids), options.role));
  write(file, yamlOf(system, title === "" ? system : title, items, gates));
  return {
    file,
    gates: gates.length,
    measured: gates.filter(({ evidence }) => evidence !== undefined).length,
  };
}

/** An id of the checklist, and short enough to be read in a sentence. */
function expectName(option: string, name: string, todo: string): void {
  if (/^[a-z][a-z0-9-]{1,30}$/.test(name)) return;
  const found = shownLine(name);
  throw refused(
    option,
    found === "" ? "no name" : found,
    "a name in kebab case, 2 to 31 characters",
    todo,
  );
}

type Draft = Readonly<Record<string, unknown>>;

function gateOf({ text, section }: Item, id: string, role: string): Draft {
  const phase = phaseWords.find(([words]) => words.test(section))?.[1] ?? "cutover";
  const measure = measures.find(({ words }) => words.test(text));
  // What is checked on the new release says nothing when it was checked before the cutover.
  const after = afterCutover.includes(phase) ? { after: "cutover" } : {};
  const judged =
    measure === undefined
      ? { kind: "approved", requires: { roles: [role], ...after } }
      : {
          kind: measure.kind,
          evidence: id,
          maxAge: measure.maxAge,
          ...after,
          requires: measure.requires,
        };
  return {
    id,
    title: sentence(text),
    phase,
    ...judged,
    severity: "high",
    why: reasonToWrite,
    remedy:
      measure === undefined
        ? `npx cutover approve --role ${role}`
        : `npx cutover attest ${id} --format ${measure.format} --report <file>`,
    source: { section },
    // What protects data is never waived; the team decides about the rest.
    waivable: false,
  };
}

/** The page's title and its bullets: those that have bullets of their own lend them their words. */
function itemsOf(page: string): { readonly title: string; readonly items: readonly Item[] } {
  const tokens = new Lexer({ gfm: true }).lex(page.replaceAll(/\r\n?/g, "\n"));
  let title = "";
  const headings: (string | undefined)[] = [];
  const items: Item[] = [];
  for (const token of withoutQuotes(tokens)) {
    if (token.type === "heading") {
      const { depth, tokens: inner } = token as Tokens.Heading;
      const text = textOf(inner);
      if (title === "" && depth === 1) title = text;
      headings.length = Math.min(headings.length, Math.max(depth - 1, 0));
      headings[depth - 1] = text;
    } else if (token.type === "list") {
      const under = headings.slice(1).filter((one) => one !== undefined && one !== "");
      const section = under.join(" / ") || (headings[0] ?? "") || "(no heading)";
      items.push(...bulletsOf(token as Tokens.List, "").map((bullet) => ({ ...bullet, section })));
    }
  }
  return { title, items };
}

/** A bullet counts in a quote or a callout as well. */
function withoutQuotes(tokens: readonly Token[]): Token[] {
  return tokens.flatMap((token) =>
    token.type === "blockquote" ? withoutQuotes((token as Tokens.Blockquote).tokens) : [token],
  );
}

function bulletsOf(list: Tokens.List, before: string): Omit<Item, "section">[] {
  return list.items.flatMap(({ tokens }) => {
    const words = tokens.filter(({ type }) => wording.has(type));
    const own = textOf(words, " ") || textOf(tokens.filter(({ type }) => type === "code"));
    const text = (before === "" ? own : `${before}: ${own}`).trim();
    const inner = withoutQuotes(tokens).filter((token) => token.type === "list") as Tokens.List[];
    const below = inner.flatMap((one) => bulletsOf(one, text.replace(/[:.]$/, "")));
    if (below.length > 0 || text === "") return below;
    return [{ text, label: before === "" ? boldStart(words, text) : text }];
  });
}

/** What a bullet says; its code only where it says nothing else. */
const wording: ReadonlySet<string> = new Set(["text", "paragraph", "html"]);

/** The words in bold that a bullet begins with, where a colon parts them from the rest. */
function boldStart(words: readonly Token[], text: string): string {
  const first = words.find(({ type }) => type !== "html");
  const [strong] = (first as Tokens.Text | undefined)?.tokens ?? [];
  const bold = strong?.type === "strong" ? textOf([strong]).replace(/:$/, "") : "";
  return bold !== "" && text.startsWith(`${bold}:`) ? bold : text;
}

/** The words of tokens on one line, without marks and tags, and without what a terminal would obey. */
function textOf(tokens: readonly Token[] = [], between = ""): string {
  const text = tokens.map(rawText).join(between);
  return shownLine(text).replace(/^\[[ xX]\](?:\s+|$)/, "");
}

function rawText(token: Token): string {
  if (token.type === "checkbox") return "";
  if (token.type === "br") return " ";
  const { text, tokens: inner } = token as Partial<Tokens.Text>;
  if (token.type === "html") return withoutTags(text ?? "");
  return inner === undefined ? decoded(text ?? "") : inner.map(rawText).join("");
}

function withoutTags(html: string): string {
  return decoded(html.replaceAll(/<!--.*?-->/gs, "").replaceAll(/<\/?[a-z][^>]*>/gi, " "));
}

const entities: Readonly<Record<string, string>> = { amp: "&", lt: "<", gt: ">", quot: '"' };

function decoded(text: string): string {
  return text.replaceAll(/&(amp|lt|gt|quot);/g, (_, name: string) => entities[name] ?? "");
}

function sentence(text: string): string {
  const whole = text.charAt(0).toUpperCase() + text.slice(1);
  return /[.!?]$/.test(whole) ? whole : `${whole}.`;
}

function uniqueId(text: string, taken: Set<string>): string {
  const base = slug(text, 56);
  const named = /^[a-z]/.test(base) && base.length > 1 ? base : `item-${base}`.replace(/-$/, "");
  let id = named;
  for (let number = 2; taken.has(id); number += 1) id = `${named}-${number}`;
  taken.add(id);
  return id;
}

/** Words in kebab case, as many as fit. */
function slug(text: string, most: number): string {
  const words = text
    .normalize("NFKD")
    .toLowerCase()
    .replaceAll(/['’]/g, "")
    .split(/[^a-z0-9]+/)
    .filter((word) => word !== "");
  let made = "";
  for (const word of words) {
    const longer = made === "" ? word : `${made}-${word}`;
    if (longer.length > most) break;
    made = longer;
  }
  return made === "" ? (words[0] ?? "").slice(0, most) : made;
}

function yamlOf(
  system: string,
  title: string,
  items: readonly Item[],
  gates: readonly Draft[],
): string {
  // What many gates ask for stands in each of them, to be edited there.
  const whole = { system, title, document: title, gates };
  const document = new Document(whole, { aliasDuplicateObjects: false });
  document.commentBefore =
    " yaml-language-server: $schema=checklist.schema.json\n" +
    " Made by `npx cutover checklist init`. A gate stands before its phase. Those of kind approved wait for a person's\n" +
    " signature: give them a kind that measures (docs/write-a-checklist.md), and say why each one matters.";
  const rows = document.get("gates");
  if (isSeq(rows)) {
    rows.items.forEach((row, index) => {
      if (!isMap(row)) return;
      row.spaceBefore = index > 0;
      const { section } = items[index] as Item;
      if (section !== items[index - 1]?.section) row.commentBefore = ` ${section}`;
    });
  }
  return document.toString({ lineWidth: 100 });
}

function write(file: string, text: string): void {
  if (existsSync(file)) {
    throw refused(
      file,
      "a file that is there already",
      "a new file",
      "remove it, or name another one with --out",
    );
  }
  try {
    writeFileSync(file, text, { flag: "wx" });
  } catch (error) {
    const code = codeOf(error);
    if (code === undefined) throw error;
    throw refused(
      file,
      `it cannot be written (${code})`,
      "a file in a folder that is there and may be written to",
      "cd to the project's top, or name another file with --out",
    );
  }
}

function refused(where: string, found: string, required: string, todo: string): OperatorError {
  return new OperatorError(
    problemText("No checklist was made.", [{ where, found, required, todo }]),
  );
}
