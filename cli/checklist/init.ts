import { existsSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { Lexer, type Token, type Tokens } from "marked";
import { Document, isMap, isSeq, type YAMLMap } from "yaml";
import type { Phase } from "../../policies/contract/phase.ts";
import { OperatorError, problemText } from "../../infra/errors.ts";
import { codeOf } from "../../infra/provider/error-text.ts";
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
  const { title, items } = itemsOf(readText(page, "a page with headings and bullets, Markdown"));
  const system =
    options.system ?? slug(title === "" ? basename(page).replace(/\..*$/, "") : title, 30);
  if (items.length === 0) {
    throw refused(page, "no bullet", "a page with a bullet for each thing to check", "add bullets");
  }
  if (!/^[a-z][a-z0-9-]{1,30}$/.test(system)) {
    throw refused(
      "--system",
      system === "" ? "no name" : system,
      "a short name in kebab case",
      "name it with --system",
    );
  }
  const file = options.out ?? join("policies", "checklists", `${system}.yaml`);
  const ids = new Set<string>();
  const gates = items.map((item) => gateOf(item, uniqueId(item.label, ids), options.role));
  const text = yamlOf(system, title === "" ? system : title, items, gates);
  write(file, text);
  return { file, gates: gates.length, measured: gates.filter(({ evidence }) => evidence).length };
}

type Draft = Readonly<Record<string, unknown>>;

function gateOf({ text, section }: Item, id: string, role: string): Draft {
  const phase = phaseWords.find(([words]) => words.test(section))?.[1] ?? "cutover";
  const measure = measures.find(({ words }) => words.test(text));
  const judged =
    measure === undefined
      ? { kind: "approved", requires: { roles: [role] } }
      : {
          kind: measure.kind,
          evidence: id,
          maxAge: measure.maxAge,
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
  const headings: string[] = [];
  const items: Item[] = [];
  for (const token of tokens) {
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

function bulletsOf(list: Tokens.List, before: string): Omit<Item, "section">[] {
  return list.items.flatMap(({ tokens }) => {
    const words = tokens.filter(({ type }) => type === "text" || type === "paragraph");
    const own = textOf(words);
    const text = (before === "" ? own : `${before}: ${own}`).trim();
    const inner = tokens.filter((token): token is Tokens.List => token.type === "list");
    const below = inner.flatMap((one) => bulletsOf(one, text.replace(/[:.]$/, "")));
    if (below.length > 0 || text === "") return below;
    return [{ text, label: before === "" ? boldStart(words, text) : text }];
  });
}

/** The words in bold that a bullet begins with, where a colon parts them from the rest. */
function boldStart([first]: readonly Token[], text: string): string {
  const [strong] = (first as Tokens.Text | undefined)?.tokens ?? [];
  const bold = strong?.type === "strong" ? textOf([strong]).replace(/:$/, "") : "";
  return bold !== "" && text.startsWith(`${bold}:`) ? bold : text;
}

function textOf(tokens: readonly Token[] = []): string {
  return tokens
    .map((token) => {
      if (token.type === "html" || token.type === "checkbox") return "";
      const { text = "", tokens: inner } = token as Tokens.Text;
      return inner === undefined ? text : textOf(inner);
    })
    .join("")
    .replaceAll(/\s+/g, " ")
    .replace(/^\[[ xX]\]\s+/, "")
    .trim();
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
  const document = new Document({ system, title, document: title, gates });
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
      if (section !== items[index - 1]?.section) (row as YAMLMap).commentBefore = ` ${section}`;
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
      "a file in a folder that is there",
      "name another one with --out",
    );
  }
}

function refused(where: string, found: string, required: string, todo: string): OperatorError {
  return new OperatorError(
    problemText("No checklist was made.", [{ where, found, required, todo }]),
  );
}
