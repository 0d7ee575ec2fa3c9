import { generateKeyPairSync } from "node:crypto";
import { cp, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { execa } from "execa";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { readers } from "../../infra/evidence/readers.ts";
import { attestReports } from "../../rehearsal/reports.ts";
import {
  cutover as firstCutover,
  makeSigners,
  signRelease,
  type Signers,
} from "../../rehearsal/signers.ts";

const root = join(import.meta.dirname, "..", "..");
const bin = join(root, "cli", "cutover.cjs");

let project: string;
let signers: Signers;
let evidence: string;
/** A folder with the reports of both releases, as CI makes them, and nothing signed. */
let reports: string;

/** A project of its own, with nobody's evidence. */
async function makeProject(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "cutover-cli-"));
  for (const name of ["Pulumi.yaml", "Pulumi.production.yaml", "Pulumi.staging.yaml", "examples"]) {
    await cp(join(root, name), join(folder, name), { recursive: true });
  }
  await cp(join(root, "policies", "checklists"), join(folder, "policies", "checklists"), {
    recursive: true,
  });
  return folder;
}

beforeAll(async () => {
  const folder = await makeProject();
  const place = { folder, stack: "production", signers: await makeSigners(folder, []) };
  for (const release of ["v1.0.0", "v1.1.0"]) await attestReports(place, release, firstCutover);
  reports = await mkdtemp(join(tmpdir(), "cutover-reports-"));
  await cp(join(folder, "examples", "flagship", "evidence"), reports, {
    recursive: true,
    filter: (file) => !file.endsWith(".jsonl"),
  });
  await rm(folder, { recursive: true, force: true });
});
afterAll(() => rm(reports, { recursive: true, force: true }));

beforeEach(async () => {
  project = await makeProject();
  await cp(reports, join(project, "examples", "flagship", "evidence"), { recursive: true });
  signers = await makeSigners(project, ["release-manager", "database-owner"]);
  evidence = join(project, "examples", "flagship", "evidence", "v1.0.0");
});
afterEach(() => rm(project, { recursive: true, force: true }));

interface Ended {
  readonly exitCode: number | undefined;
  /** Both streams. */
  readonly said: string;
}

async function cutover(...args: string[]): Promise<Ended> {
  return cutoverWith({}, ...args);
}

async function cutoverWith(env: Record<string, string>, ...args: string[]): Promise<Ended> {
  const { exitCode, all } = await execa(process.execPath, [bin, ...args], {
    cwd: project,
    env,
    all: true,
    reject: false,
  });
  return { exitCode, said: all };
}

const cutoverOf = ["--release", "v1.0.0", "--phase", "cutover"];
const junit = ["--format", "junit", "--report", "examples/flagship/evidence/v1.0.0/unit-tests.xml"];

function expectPlain({ said }: Ended): void {
  expect(said).not.toMatch(/\n\s+at /);
  for (const line of said.split("\n").filter((text) => !text.includes("/"))) {
    expect(line.length).toBeLessThanOrEqual(80);
  }
}

describe("help", () => {
  test.each(["attest", "approve", "waive", "verify"])(
    "cutover %s --help says how, with an example",
    async (command) => {
      const ended = await cutover(command, "--help");
      expect(ended.exitCode).toBe(0);
      expect(ended.said).toContain(`Usage: cutover ${command}`);
      expect(ended.said).toMatch(/Examples?:\n {2}npx cutover/);
      expectPlain(ended);
    },
  );

  test("cutover attest --help lists every format", async () => {
    const { said } = await cutover("attest", "--help");
    const listed = readers.filter(({ format }) => new RegExp(`  ${format} +[A-Za-z]`).test(said));
    expect(listed).toEqual(readers);
  });

  test("cutover --help lists the commands", async () => {
    const ended = await cutover("--help");
    expect(ended.exitCode).toBe(0);
    for (const command of ["attest", "approve", "waive", "verify"]) {
      expect(ended.said).toContain(`  ${command} `);
    }
    expect(ended.said).toMatch(/Examples:\n {2}npx cutover/);
    expectPlain(ended);
  });

  test.each([
    ["an unknown command", ["approval"]],
    ["an unknown option", ["verify", "--loud"]],
    ["a missing argument", ["attest", ...junit]],
    ["a missing option", ["approve", "--key", "id_ed25519"]],
  ])("%s ends with 2 and says where help is", async (_, args) => {
    const ended = await cutover(...args);
    expect(ended.exitCode).toBe(2);
    expect(ended.said).toContain("--help");
    expectPlain(ended);
  });
});

describe("attest", () => {
  test("writes a signed statement that opens its gate", async () => {
    const ended = await cutover("attest", "unit-tests", ...junit, "--key", signers.ci);
    expect(ended).toMatchObject({ exitCode: 0 });
    expect(ended.said).toContain("Wrote examples/flagship/evidence/v1.0.0/unit-tests.intoto.jsonl");
    const { said } = await cutover("verify", ...cutoverOf);
    expect(said).toMatch(/^open +flagship\/unit-tests-passed$/m);
  });

  test("takes the key from the environment, and shows it nowhere", async () => {
    const pem = await readFile(signers.ci, "utf8");
    const ended = await cutoverWith({ CUTOVER_SIGNING_KEY: pem }, "attest", "unit-tests", ...junit);
    expect(ended.exitCode).toBe(0);
    const body = pem.split("\n")[1] ?? "";
    const written = await readFile(join(evidence, "unit-tests.intoto.jsonl"), "utf8");
    expect(ended.said + written).not.toContain(body);
  });

  test("writes a statement without a signature for another tool to sign", async () => {
    const out = join(project, "statement.json");
    const ended = await cutover("attest", "unit-tests", ...junit, "--statement", "--out", out);
    expect(ended.exitCode).toBe(0);
    expect(JSON.parse(await readFile(out, "utf8"))).toMatchObject({
      _type: "https://in-toto.io/Statement/v1",
      predicateType: "https://in-toto.io/attestation/test-result/v0.1",
      subject: [{ name: "v1.0.0" }, { name: "git" }, {}, {}, {}],
    });
  });

  test("replaces what was attested under this name", async () => {
    for (let times = 0; times < 2; times += 1) {
      await cutover("attest", "unit-tests", ...junit, "--key", signers.ci);
    }
    const files = (await readdir(evidence)).filter((name) => name.includes("unit-tests"));
    expect(files.sort()).toEqual(["unit-tests.intoto.jsonl", "unit-tests.xml"]);
    const text = await readFile(join(evidence, "unit-tests.intoto.jsonl"), "utf8");
    expect(text.trim().split("\n")).toHaveLength(1);
  });

  test.each([
    [
      "evidence that no gate asks for",
      ["unit-test", ...junit],
      /unit-test[\s\S]*unit-tests,\s+image/,
    ],
    [
      "an unknown format",
      ["unit-tests", "--format", "xunit", "--report", "x"],
      /xunit[\s\S]*one of[\s\S]*junit/,
    ],
    [
      "a report that is not there",
      ["unit-tests", "--format", "junit", "--report", "no.xml"],
      /no\.xml[\s\S]*ENOENT/,
    ],
    [
      "a report that never ends",
      ["unit-tests", "--format", "junit", "--report", "/dev/zero"],
      /larger than 32 MiB/,
    ],
    [
      "a report of another format",
      ["unit-tests", "--format", "junit", "--report", "Pulumi.yaml"],
      /Nothing was attested/,
    ],
    [
      "an image of another release",
      [
        "image-scan-api",
        "--format",
        "trivy",
        "--report",
        "examples/flagship/evidence/v1.1.0/image-scan-api.json",
      ],
      /about image sha256:[\s\S]*an image of the release/,
    ],
    [
      "an unknown release",
      ["unit-tests", ...junit, "--release", "v9.9.9"],
      /v9\.9\.9[\s\S]*v1\.0\.0/,
    ],
    ["an unknown stack", ["unit-tests", ...junit, "--stack", "prod"], /prod[\s\S]*production/],
  ])("refuses %s", async (_, args, said) => {
    const ended = await cutover("attest", ...args, "--key", signers.ci);
    expect(ended.exitCode).toBe(1);
    expect(ended.said).toMatch(said);
    expect((await readdir(evidence)).filter((name) => /jsonl|part/.test(name))).toEqual([]);
    expectPlain(ended);
  });

  test.each([
    ["a report", "unit-tests.xml", /no signed document/],
    ["a folder", ".", /no signed document/],
    ["a place below a file", "unit-tests.xml/out.json", /cannot be written/],
  ])("writes over nothing but signed documents: not over %s", async (_, name, said) => {
    const report = join(evidence, "unit-tests.xml");
    const before = await readFile(report, "utf8");
    const args = [...junit, "--key", signers.ci, "--out", join(evidence, name)];
    const ended = await cutover("attest", "unit-tests", ...args);
    expect(ended.exitCode).toBe(1);
    expect(ended.said).toMatch(said);
    expectPlain(ended);
    expect(await readFile(report, "utf8")).toBe(before);
    expect((await readdir(dirname(evidence))).filter((file) => file.includes("part"))).toEqual([]);
  });

  test("says which stack config is no YAML", async () => {
    await writeFile(join(project, "Pulumi.production.yaml"), "config:\n  a: [\n");
    const ended = await cutover("attest", "unit-tests", ...junit, "--key", signers.ci);
    expect(ended.exitCode).toBe(1);
    expect(ended.said).toContain("Pulumi.production.yaml");
    expectPlain(ended);
  });

  test.each([
    ["no key", undefined, /CUTOVER_SIGNING_KEY/],
    ["no key in the file", "not a key", /no private key/],
    [
      "a key of another type",
      generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey.export({
        type: "pkcs8",
        format: "pem",
      }) as string,
      /a key of type ec/,
    ],
  ])("refuses %s", async (_, pem, said) => {
    const file = join(project, "other.key");
    if (pem !== undefined) await writeFile(file, pem);
    const key = pem === undefined ? [] : ["--key", file];
    const ended = await cutover("attest", "unit-tests", ...junit, ...key);
    expect(ended.exitCode).toBe(1);
    expect(ended.said).toMatch(said);
    expectPlain(ended);
  });

  test("a scan of another image of the release does not open the gate", async () => {
    const report = join(evidence, "image-scan-worker.json");
    const attested = await cutover(
      ...["attest", "image-scan-api", "--format", "trivy", "--report", report],
      ...["--key", signers.ci],
    );
    expect(attested.exitCode, attested.said).toBe(0);
    const { said } = await cutover("verify", ...cutoverOf);
    expect(said).toMatch(/^CLOSED +flagship\/api-image-scanned$/m);
    expect(said).toContain("it is not about the image of api");
  });

  test("refuses a report from the future", async () => {
    const report = join(evidence, "image-scan-api.json");
    const scan = JSON.parse(await readFile(report, "utf8")) as object;
    const CreatedAt = new Date(Date.now() + 3_600_000).toISOString();
    await writeFile(report, JSON.stringify({ ...scan, CreatedAt }));
    const ended = await cutover(
      ...["attest", "image-scan-api", "--format", "trivy", "--report", report],
      ...["--key", signers.ci],
    );
    expect(ended.exitCode).toBe(1);
    expect(ended.said).toContain("from the future");
  });
});

describe("approve", () => {
  const as = (role: "release-manager" | "database-owner"): string[] => [
    ...["approve", ...cutoverOf, "--role", role],
    ...["--key", signers.keyOf(role)],
  ];

  test("by every role opens the gate, until the evidence changes", async () => {
    await signRelease({ folder: project, stack: "production", signers }, "v1.0.0");
    const before = await cutover("verify", ...cutoverOf);
    expect(before.said).toMatch(/^open +flagship\/cutover-approved$/m);
    expect(before.exitCode, before.said).toBe(0);

    await cutover("attest", "unit-tests", ...junit, "--key", signers.ci);
    const after = await cutover("verify", ...cutoverOf);
    expect(after.exitCode).toBe(1);
    expect(after.said).toMatch(/^CLOSED +flagship\/cutover-approved$/m);
    expect(after.said).toContain("the evidence");

    for (const role of ["release-manager", "database-owner"] as const) {
      const ended = await cutover(...as(role));
      expect(ended.said).toContain(`${role}@example.com approves the cutover of v1.0.0`);
      expect(ended.exitCode).toBe(0);
    }
    expect((await cutover("verify", ...cutoverOf)).exitCode).toBe(0);
  });

  test.each([
    ["a role that is not asked for", ["--role", "captain"], /captain[\s\S]*as release-manager, as/],
    [
      "a phase that asks for nobody",
      ["--role", "database-owner", "--phase", "observe"],
      /no approval at all/,
    ],
    ["somebody else's name", ["--role", "release-manager", "--as", "x@example.com"], /--as/],
  ])("refuses %s", async (_, args, said) => {
    const key = signers.keyOf("release-manager");
    const ended = await cutover("approve", ...cutoverOf, ...args, "--key", key);
    expect(ended.exitCode).toBe(1);
    expect(ended.said).toMatch(said);
    expectPlain(ended);
  });

  test("refuses a key without the role, and one that nobody has", async () => {
    const key = signers.keyOf("release-manager");
    const other = await cutover(...as("database-owner").slice(0, -1), key);
    expect(other.exitCode).toBe(1);
    expect(other.said).toContain("database-owner@cutover");
    await execa("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", join(project, "stranger")]);
    const stranger = await cutover(...as("database-owner").slice(0, -1), join(project, "stranger"));
    expect(stranger.exitCode).toBe(1);
    expect(stranger.said).toContain("policies/trust/allowed_signers");
  });

  test("refuses who made the release", async () => {
    const file = join(project, "policies", "trust", "allowed_signers");
    const text = await readFile(file, "utf8");
    await writeFile(file, text.replace("release-manager@example.com", "developer@example.com"));
    const ended = await cutover(...as("release-manager"));
    expect(ended.exitCode).toBe(1);
    expect(ended.said).toContain("developer@example.com, who made v1.0.0");
  });

  test("says what is missing without ssh-keygen", async () => {
    const ended = await cutoverWith({ PATH: dirname(process.execPath) }, ...as("release-manager"));
    expect(ended.exitCode).toBe(1);
    expect(ended.said).toContain("no ssh-keygen on the PATH");
    expectPlain(ended);
  });
});

describe("waive", () => {
  const key = (): string[] => ["--key", signers.keyOf("release-manager")];
  const soon = (): string[] => ["--expires", new Date(Date.now() + 3_600_000).toISOString()];
  const reason = ["--reason", "The page moved; the new one is reviewed on Monday."];

  test("opens the gate and stays visible", async () => {
    const gate = "flagship/runbook-current";
    const ended = await cutover("waive", gate, ...cutoverOf, ...reason, ...soon(), ...key());
    expect(ended.said).toContain(`release-manager@example.com waives ${gate} for v1.0.0`);
    const { said } = await cutover("verify", ...cutoverOf);
    expect(said).toMatch(/^waived +flagship\/runbook-current$/m);
    expect(said).toContain("Waived by release-manager@example.com until");
    expect(said).toContain("The page moved");
  });

  test.each([
    ["a gate that protects data", "database-encrypted-at-rest", /one that can be waived/],
    ["the guard itself", "phase-in-order", /one that can be waived/],
    ["the approval", "flagship/cutover-approved", /one that can be waived/],
    ["a gate that is none", "flagship/no-such-gate", /one that can be waived/],
  ])("refuses %s", async (_, gate, said) => {
    const ended = await cutover("waive", gate, ...cutoverOf, ...reason, ...soon(), ...key());
    expect(ended.exitCode).toBe(1);
    expect(ended.said).toMatch(said);
    expectPlain(ended);
  });

  test.each([
    ["a time that is over", ["--expires", "2026-01-01T00:00Z", ...reason]],
    [
      "more than 30 days",
      ["--expires", new Date(Date.now() + 31 * 86_400_000).toISOString(), ...reason],
    ],
    ["no time", ["--expires", "soon", ...reason]],
    ["no reason", ["--reason", "because", ...soon()]],
  ])("refuses %s", async (_, args) => {
    const ended = await cutover(
      "waive",
      "flagship/runbook-current",
      ...cutoverOf,
      ...args,
      ...key(),
    );
    expect(ended.exitCode).toBe(1);
    expect(ended.said).toContain("Nothing was signed");
    expectPlain(ended);
  });
});

describe("verify", () => {
  test("without evidence names every closed gate and what to do, and ends with 1", async () => {
    const ended = await cutover("verify", ...cutoverOf);
    expect(ended.exitCode).toBe(1);
    expect(ended.said).toContain("CLOSED  flagship/unit-tests-passed");
    expect(ended.said).toContain("npx cutover attest unit-tests --format junit");
    expect(ended.said).toMatch(/\d of \d+ gates are closed/);
    expect(ended.said).toMatch(/^live +flagship\/database-quiet$/m);
    expectPlain(ended);
  });

  test("as JSON says the same", async () => {
    const { said } = await cutover("verify", ...cutoverOf, "--json");
    const found = JSON.parse(said) as { open: boolean; gates: { gate: string; verdict: string }[] };
    expect(found.open).toBe(false);
    expect(found.gates).toContainEqual(
      expect.objectContaining({ gate: "flagship/unit-tests-passed", verdict: "inconclusive" }),
    );
  });

  test("shows a document that nobody can trust", async () => {
    await cutover("attest", "unit-tests", ...junit, "--key", signers.ci);
    const file = join(evidence, "unit-tests.intoto.jsonl");
    const envelope = JSON.parse(await readFile(file, "utf8")) as { payload: string };
    const statement = Buffer.from(envelope.payload, "base64")
      .toString()
      .replace("v1.0.0", "v1.0.1");
    const payload = Buffer.from(statement).toString("base64");
    await writeFile(file, JSON.stringify({ ...envelope, payload }));
    const { said, exitCode } = await cutover("verify", ...cutoverOf);
    expect(exitCode).toBe(1);
    expect(said).toMatch(/^CLOSED +evidence-verified$/m);
  });

  test("names trusted signers that cannot be read", async () => {
    await writeFile(join(project, "policies", "trust", "signers.yaml"), "signers: [");
    const ended = await cutover("verify", ...cutoverOf);
    expect(ended.exitCode).toBe(1);
    expect(ended.said).toContain("trust/signers.yaml");
    expectPlain(ended);
  });

  test("outside of a project says so", async () => {
    const { exitCode, all } = await execa(process.execPath, [bin, "verify"], {
      cwd: tmpdir(),
      all: true,
      reject: false,
    });
    expect(exitCode).toBe(1);
    expect(all).toContain("There is no project here.");
  });

  test("with a checklist that is wrong names every line", async () => {
    const file = join(project, "policies", "checklists", "flagship.yaml");
    const text = await readFile(file, "utf8");
    await writeFile(
      file,
      text.replace("kind: tests-passed", "kind: tests").replace("atLeast: 1", "atLeast: 0"),
    );
    const ended = await cutover("verify", ...cutoverOf);
    expect(ended.exitCode).toBe(1);
    expect(ended.said).toContain("gate unit-tests-passed, kind: found tests");
    expectPlain(ended);
  });
});
