import { homedir } from "node:os";
import { join } from "node:path";
import { Command, CommanderError } from "commander";
import { ChecklistError, gateName } from "../policies/contract/checklist.ts";
import { TrustError } from "../policies/signatures/trust.ts";
import { OperatorError } from "../infra/errors.ts";
import { messageOf } from "../infra/provider/error-text.ts";
import type { AttestOptions } from "./attest.ts";
import type { SignOptions } from "./approve.ts";
import type { Choice } from "./project.ts";
import type { RenderOptions } from "./render.ts";
import type { InitOptions } from "./checklist/init.ts";

// What a command needs is loaded when it runs, so that --help is there at once.

const program = new Command("cutover")
  .description("Signs what the gates of a release ask for, and shows what they would say.")
  .helpCommand(false)
  .showHelpAfterError("Try: npx cutover --help")
  .configureHelp({ helpWidth: 80 })
  .addHelpText(
    "after",
    `
Examples:
  npx cutover attest unit-tests --format junit --report junit.xml --key ci.key
  npx cutover verify --stack production --release v1.1.0 --phase cutover
`,
  )
  .exitOverride();

choice(program.command("attest"))
  .description("Make signed evidence from a report.")
  .argument("<evidence>", "its name in the checklist")
  .requiredOption("--format <format>", "what the report is; see below")
  .requiredOption("--report <file>", "the report, as the tool wrote it")
  .option("--key <file>", "Ed25519 private key as PEM (default: CUTOVER_SIGNING_KEY)")
  .option("--out <file>", "where to write (default: the evidence location)")
  .option("--statement", "write the statement unsigned, for cosign to sign")
  .addHelpText(
    "after",
    `
Formats:
  audit           npm or pnpm audit      markdown        runbook or README
  ci-run          GitHub Actions run     markdown-table  rows of its tables
  comparison      numbers compared       names           JSON list of names
  coverage        a list of items        next-routes     Next.js manifest
  csv             rows: psql --csv       openapi         OpenAPI document
  dotenv          names in a .env file   playwright      Playwright JSON
  git-diff        git diff --name-only   prisma          prisma migrate status
  git-tree        git ls-tree -r         prometheus      Prometheus answer
  json            rows of JSON           sarif           SARIF 2.1.0
  junit           JUnit XML              trivy           Trivy JSON
  k6              k6 summary JSON        tsc             tsc --pretty false
  key-value       systemctl show         vitest          Vitest or Jest JSON

Examples:
  npx cutover attest unit-tests --format junit --report junit.xml --key ci.key
  npx cutover attest image-scan-api --format trivy --report trivy-api.json
`,
  )
  .action(async (evidence: string, options: AttestOptions) => {
    const { attest } = await import("./attest.ts");
    const file = await attest(evidence, options);
    console.log(`Wrote ${shortened(file)}`);
    const where = options.stack === "production" ? "" : ` --stack ${options.stack}`;
    console.log(`To see what its gate says: npx cutover verify${where}`);
  });

signing(choice(program.command("approve")))
  .description("Approve a phase of a release in a role, with your SSH key.")
  .requiredOption("--role <role>", "the role, as the checklist names it")
  .addHelpText(
    "after",
    `
An approval is about the release, its evidence and the checklist as they are
now. When one of them changes it is void, and must be given again.

Example:
  npx cutover approve --role release-manager --release v1.1.0 --phase cutover
`,
  )
  .action(async (options: SignOptions & { readonly role: string }) => {
    const { approve } = await import("./approve.ts");
    const { file, principal, project } = await approve(options);
    const { release, config, stack } = project;
    console.log(
      `${principal} approves the ${config.phase} of ${release.version} on ${stack} as ${options.role}.`,
    );
    console.log(`Wrote ${shortened(file)}`);
    const { verify, closedGates } = await import("./verify.ts");
    const approvals = project.checklist.gates
      .filter(({ kind }) => kind === "approved")
      .map(({ id }) => gateName(project.checklist.system, id));
    const closed = closedGates(await verify({ ...options, phase: config.phase })).filter(
      (gate) => !approvals.includes(gate),
    );
    if (closed.length === 0) return;
    console.log("\nThese gates are closed now; what opens them may void this approval:");
    for (const gate of closed) console.log(`  ${gate}`);
  });

signing(choice(program.command("waive")))
  .description("Open one gate for one release until a time, with a reason.")
  .argument("<gate>", "the gate, as the policy pack names it")
  .requiredOption("--reason <text>", "why it is safe; it is shown wherever the gate is")
  .requiredOption("--expires <time>", "until when, such as 2026-12-01T06:00Z")
  .addHelpText(
    "after",
    `
Gates of backups, encryption and retention, and the guard itself, cannot be
waived. A waiver voids the approvals that were given without it.

Example:
  npx cutover waive flagship/runbook-current --expires 2026-12-01T06:00Z \\
    --reason "The page moved; the new one is reviewed on Monday."
`,
  )
  .action(
    async (
      gate: string,
      options: SignOptions & { readonly reason: string; readonly expires: string },
    ) => {
      const { waive } = await import("./approve.ts");
      const { file, principal, project } = await waive(gate, options);
      console.log(
        `${principal} waives ${gate} for ${project.release.version} on ${project.stack}.`,
      );
      console.log(`Wrote ${shortened(file)}`);
    },
  );

choice(program.command("verify"))
  .description("Show what the gates would say of the signed documents.")
  .option("--json", "print it as JSON")
  .addHelpText(
    "after",
    `
Ends with 0 when every gate that judges documents is open, and with 1 when not.

Example:
  npx cutover verify --stack production --release v1.1.0 --phase cutover
`,
  )
  .action(async ({ json, ...chosen }: Choice & { readonly json?: boolean }) => {
    const { verify, verificationText } = await import("./verify.ts");
    const found = await verify(chosen);
    console.log(json === true ? JSON.stringify(found, null, 2) : verificationText(found));
    process.exitCode = found.open ? 0 : 1;
  });

choice(program.command("render"))
  .description("Write the services as systemd units or Compose files.")
  .argument("<what>", "systemd, compose or coolify")
  .requiredOption("--out <folder>", "where to write")
  .option("--force", "write over files that say something else")
  .option("--json", "print the list of files as JSON")
  .addHelpText(
    "after",
    `
From the service table of the stack, for one release: images by digest, limits,
health checks and rights as \`pulumi up\` gives them. No file holds a secret:
templates name the variables that you fill in. docs/render.md goes on from here.

  systemd   units, a watchdog with its timer, and templates, as paths of a host
  compose   compose.yaml and compose.infra.yaml, for two hosts
  coolify   compose.coolify.yaml, for one host behind Coolify's proxy

Examples:
  npx cutover render compose --stack production --release v1.1.0 --out deploy
  npx cutover render systemd --stack dashboard --out deploy/host --force
`,
  )
  .action(
    async (what: string, { json, ...options }: RenderOptions & { readonly json?: boolean }) => {
      const { render } = await import("./render.ts");
      const { release, files } = render(what, options);
      if (json === true) {
        console.log(JSON.stringify({ release, files }, null, 2));
        return;
      }
      for (const { path, written } of files) {
        console.log(`${written ? "Wrote" : "Kept"}  ${shortened(path)}`);
      }
      console.log(`Rendered for ${release}. What to do with it: docs/render.md`);
    },
  );

const checklist = program
  .command("checklist")
  .description("Explain a checklist, print it, or make a start of one.")
  .addHelpText(
    "after",
    `
Example:
  npx cutover checklist check policies/checklists/flagship.yaml
`,
  )
  .helpCommand(false);

checklist
  .command("check")
  .description("Explain a checklist, or say what is wrong with it.")
  .argument("<file>", "the checklist, such as policies/checklists/flagship.yaml")
  .option("--json", "print it as JSON")
  .addHelpText(
    "after",
    `
Shows the gates by phase, the evidence and readings that they want, the roles
that must sign, and what the team decided where the document left it open.
Ends with 0 when the checklist can be used, and with 1 when not.

Example:
  npx cutover checklist check policies/checklists/flagship.yaml
`,
  )
  .action(async (file: string, { json }: { readonly json?: boolean }) => {
    const { explainChecklist, explanationText } = await import("./checklist/check.ts");
    const told = explainChecklist(file);
    console.log(json === true ? JSON.stringify(told, null, 2) : explanationText(told));
  });

checklist
  .command("print")
  .description("Print a checklist as a Markdown page with its digest.")
  .argument("<file>", "the checklist")
  .addHelpText(
    "after",
    `
Example:
  npx cutover checklist print policies/checklists/flagship.yaml > checklist.md
`,
  )
  .action(async (file: string) => {
    const { checklistPage } = await import("./checklist/print.ts");
    console.log(checklistPage(file).trimEnd());
  });

checklist
  .command("init")
  .description("Make a start of a checklist from a Markdown page.")
  .argument("<page>", "a page with headings and bullets")
  .option("--system <name>", "the system (default: the page's title)")
  .option("--role <role>", "who signs for what nothing measures yet", "release-manager")
  .option("--out <file>", "where to write (default: policies/checklists/<system>.yaml)")
  .addHelpText(
    "after",
    `
Each bullet becomes a gate; text and tables do not. What can be measured asks
for evidence; the rest waits for a signature until you give it a kind that
measures.

Example:
  npx cutover checklist init RELEASING.md --system orders
`,
  )
  .action(async (page: string, options: InitOptions) => {
    const { startChecklist } = await import("./checklist/init.ts");
    const { counted } = await import("../policies/checks/names.ts");
    const { file, gates, measured } = startChecklist(page, options);
    console.log(`Wrote ${file}`);
    console.log(`${counted(gates, "gate")}, ${measured} of them measured by evidence.`);
    if (measured < gates) {
      console.log(`A signature as ${options.role} opens all others of a phase.`);
    }
    console.log("To see what it asks for:");
    console.log(`  npx cutover checklist check ${file}`);
  });

try {
  await program.parseAsync();
} catch (error) {
  if (error instanceof CommanderError) {
    process.exitCode = error.exitCode === 0 ? 0 : 2;
  } else {
    const told = [OperatorError, ChecklistError, TrustError].some((kind) => error instanceof kind);
    console.error(told || !(error instanceof Error) ? messageOf(error) : error.stack);
    process.exitCode = 1;
  }
}

/** Adds which release on which stack. */
function choice(command: Command): Command {
  return command
    .option("--stack <name>", "the stack", "production")
    .option("--release <version>", "the release (default: the stack's)")
    .option("--phase <phase>", "the phase (default: the stack's)");
}

/** Adds whose key signs. */
function signing(command: Command): Command {
  return command
    .option(
      "--key <file>",
      "your SSH key; its public half lies beside it",
      join(homedir(), ".ssh", "id_ed25519"),
    )
    .option("--as <principal>", "your name in the allowed signers, when the key has several")
    .option("--out <file>", "where to write (default: the evidence location)");
}

function shortened(file: string): string {
  const here = `${process.cwd()}/`;
  return file.startsWith(here) ? file.slice(here.length) : file;
}
