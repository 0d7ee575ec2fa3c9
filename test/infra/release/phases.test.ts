import { join } from "node:path";
import { format, resolveConfig } from "prettier";
import { describe, expect, test } from "vitest";
import type { Config } from "../../../infra/config.ts";
import { emptyLedger } from "../../../infra/release/ledger.ts";
import { phasesOf, phaseTable } from "../../../infra/release/phases.ts";
import { phases, phaseMeaning, type Phase } from "../../../policies/contract/phase.ts";
import { sampleConfig } from "../../support/config.ts";
import { service, stackWith } from "./samples.ts";

const project = join(import.meta.dirname, "..", "..", "..");
const sample = sampleConfig();
const { legacy } = sample;
const inPlace = { web: service({ placement: "in-place", address: "203.0.113.40" }) };
const { dns } = sample;
const proxy = "its edge follows a change at once";
const proxied = { ...dns, names: { "app.example.com": { service: "web", proxied: proxy } } };
const mixed = {
  ...dns,
  names: { ...dns.names, ...proxied.names, "b.example.com": { service: "web" } },
};
const silent = { ...dns, names: {} };

describe("the phases of a system", () => {
  test.each<[string, Partial<Config>, readonly Phase[]]>([
    ["with all of it", {}, []],
    ["without a legacy system", { legacy: undefined }, ["decommission"]],
    ["whose names are all proxied", { dns: proxied }, ["lower-ttl"]],
    ["of which one name is not proxied", { dns: mixed }, []],
    ["without a name that moves", { dns: silent }, ["lower-ttl"]],
    [
      "without a name and a legacy system",
      { dns: silent, legacy: undefined },
      ["lower-ttl", "decommission"],
    ],
    ["in place behind a legacy system", { services: inPlace, legacy }, []],
    [
      "in place without a legacy system",
      { services: inPlace, legacy: undefined },
      ["lower-ttl", "decommission"],
    ],
    [
      "proxied without a legacy system",
      { dns: proxied, legacy: undefined },
      ["lower-ttl", "decommission"],
    ],
  ])("%s", (_, changes, skipped) => {
    const { legacy: kept, ...rest } = { ...sample, ...changes };
    const config = kept === undefined ? rest : { ...rest, legacy: kept };
    expect(phasesOf(config)).toEqual(phases.filter((phase) => !skipped.includes(phase)));
  });

  test("one name in two slots among those in place is a move", () => {
    const services = { ...inPlace, api: service({ port: 9001 }) };
    const names = { ...dns.names, "api.example.com": { service: "api" } };
    const { legacy: _gone, ...rest } = sample;
    expect(phasesOf({ ...rest, services, dns: { ...dns, names } })).toContain("lower-ttl");
  });
});

describe("a release does in each phase what the table says", () => {
  const { plan, run } = stackWith();
  const first = (phase: Phase) => run(phases.slice(0, phases.indexOf(phase)), "v1.0.0");
  const live = run(["prepare", "lower-ttl", "cutover", "observe"], "v1.0.0");
  const second = (phase: Phase) => run(phases.slice(0, phases.indexOf(phase)), "v1.1.0", live);

  test.each(phases)("a first one, in %s", (phase) => {
    const row = phaseTable[phase];
    const planned = plan(phase, "v1.0.0", first(phase));
    expect(planned.serving).toBe(row.serves === "release" ? "blue" : "legacy");
    expect(planned.ttlSeconds).toBe(dns.ttl[row.ttl]);
    expect(planned.moves).toBe(row.freezes);
    expect(planned.legacy).toBe(row.legacy !== "gone");
    expect(planned.steps.includes("restore-test")).toBe(row.testsRestore);
    expect(planned.slots.green).toBeNull();
  });

  test.each(phases)("a second one, in %s", (phase) => {
    const row = phaseTable[phase];
    const planned = plan(phase, "v1.1.0", second(phase));
    const serves = row.serves === "release";
    expect(planned.serving).toBe(serves ? "green" : "blue");
    expect(planned.ttlSeconds).toBe(dns.ttl[row.ttl]);
    expect(planned.moves).toBe(row.freezes);
    expect(planned.slots.blue?.version).toBe(row.slots === "both" ? "v1.0.0" : undefined);
    expect(planned.slots.green?.version).toBe(serves ? "v1.1.0" : undefined);
    expect(planned.migratedFor).toBe(serves ? "v1.1.0" : "v1.0.0");
    expect(planned.legacy).toBe(row.legacy !== "gone");
  });

  test("what is gone stays gone in the phases of the next release", () => {
    const gone = run(["finalize", "decommission"], "v1.0.0", live);
    expect(plan("prepare", "v1.1.0", gone).legacy).toBe(false);
    expect(plan("prepare", "v1.1.0", gone).steps).not.toContain("legacy");
  });

  test("nothing is deleted that the engine was not told to let go of one phase before", () => {
    const goes = phases.filter((phase) => phaseTable[phase].legacy === "gone");
    expect(goes).not.toEqual([]);
    for (const phase of goes) {
      const before = phases[phases.indexOf(phase) - 1] as Phase;
      expect(phaseTable[before].protectsLegacy).toBe(false);
    }
    expect(plan("prepare", "v1.0.0", emptyLedger).legacy).toBe(true);
  });
});

test("docs/phases.md says what a phase makes of everything", async () => {
  const words = {
    serves: { before: "what served before", release: "the release" },
    slots: { both: "both kept", serving: "only the one that serves" },
    legacy: { running: "runs", config: "as `legacy.afterCutover` says", gone: "gone" },
  };
  const yes = (is: boolean): string => (is ? "yes" : "no");
  const rows = phases.map((phase) => {
    const row = phaseTable[phase];
    return [
      `\`${phase}\``,
      words.serves[row.serves],
      `\`dns.ttl.${row.ttl}\``,
      row.freezes ? "frozen meanwhile" : "open",
      words.slots[row.slots],
      words.legacy[row.legacy],
      yes(row.protectsLegacy),
      yes(row.exportsLegacy),
      yes(row.testsRestore),
    ];
  });
  const head = [
    ...["phase", "who serves at its end", "TTL", "writes", "slots", "legacy system"],
    ...["legacy protected", "legacy exported", "restore test"],
  ];
  const line = (cells: readonly string[]): string => `| ${cells.join(" | ")} |`;
  const page = [
    "# The phases of a release",
    "Made from `infra/release/phases.ts` by its test. What a run does in which order: [sequence.md](sequence.md).",
    phases.map((phase) => `- \`${phase}\`: ${phaseMeaning[phase]}`).join("\n"),
    [line(head), line(head.map(() => "---")), ...rows.map(line)].join("\n"),
    "While a release prepares beside one that serves, that one keeps serving, and the legacy system stays as it is. " +
      "Protected means that the engine refuses to delete it; data and DNS are protected in every phase. " +
      "A way back moves to a recorded release in any phase in which it serves; it freezes nothing, moves no data, keeps " +
      "both slots and leaves the TTL lowered.",
    "## Which phases a system has",
    [
      "- `lower-ttl` is left out where no answer with a TTL of its own changes: no name in `dns.names`, every name " +
        "proxied, or every service behind one in place with no legacy system before it.",
      "- `decommission` is left out where the stack config has no `legacy`.",
      "- The gate `phase-in-order` then asks for the next phase that is there.",
    ].join("\n"),
    "## When a phase may begin",
    "`notBefore` gives a phase the earliest time at which it may begin; the gate `phase-not-early` keeps it. Repeating " +
      "a phase brings nothing forward, and a way back asks for no time.",
    [
      line(["entry", "counts from"]),
      line(["---", "---"]),
      line(["with a minus, such as `lower-ttl: -24h`", "the planned cutover, `cutoverAt`"]),
      line([
        "of a phase up to `cutover`, such as `cutover: 0h`",
        "the planned cutover, `cutoverAt`",
      ]),
      line([
        "of a phase after it, such as `finalize: 24h`",
        "the end of the release's own cutover",
      ]),
    ].join("\n"),
  ];
  const file = join(project, "docs", "phases.md");
  const text = `${page.join("\n\n")}\n`;
  const options = await resolveConfig(file);
  await expect(await format(text, { ...options, filepath: file })).toMatchFileSnapshot(file);
});
