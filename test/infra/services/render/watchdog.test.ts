import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { expect, onTestFinished, test } from "vitest";
import { watchdogFiles } from "../../../../infra/services/render/watchdog.ts";

/** What the world of the script is like. Answers and worker lists are used one after another, the last one for ever. */
interface World {
  readonly active?: string;
  readonly answers: readonly boolean[];
  readonly workers?: readonly string[];
  readonly reloads?: boolean;
}

/** Runs the script with programs that play this world, and tells what it did. */
async function watch({
  active = "active",
  answers,
  workers = ["11 12", "21 22"],
  reloads = true,
}: World): Promise<{ exitCode: number | undefined; did: string[]; journal: string }> {
  const folder = mkdtempSync(join(tmpdir(), "cutover-watchdog-"));
  onTestFinished(() => {
    rmSync(folder, { recursive: true, force: true });
  });
  const play = (name: string, lines: readonly string[]): string => {
    writeFileSync(join(folder, name), `${lines.join("\n")}\n`);
    return `line=$(head -n 1 ${name}); [ "$(wc -l < ${name})" -gt 1 ] && sed -i 1d ${name}`;
  };
  const programs = {
    systemctl: `if [ "$1" = show ]; then case "$3" in ActiveState) echo ${active};; MainPID) echo 10;; esac
      else echo "systemctl $*" >> did; fi`,
    curl: `echo "curl $*" >> asked; ${play(
      "answers",
      answers.map((isGood) => (isGood ? "0" : "22")),
    )}; exit "$line"`,
    pgrep: `${play("workers", workers)}; [ -n "$line" ] && echo "$line" | tr ' ' '\\n'`,
    logger: `cat >> journal; echo "logger $*" >> did`,
    sleep: "exit 0",
  };
  for (const [name, text] of Object.entries(programs)) {
    writeFileSync(join(folder, name), `#!/bin/sh\n${text}\n`);
    chmodSync(join(folder, name), 0o755);
  }
  const name = "shop-web";
  const url = "http://203.0.113.10:8080/healthz";
  const script = watchdogFiles({ name, url, seconds: 3, reloads }).find(
    ({ mode }) => mode === "0755",
  );
  writeFileSync(join(folder, "script"), script?.text ?? "");
  const { exitCode } = await execa("/bin/sh", ["./script"], {
    cwd: folder,
    env: { PATH: `${folder}:/usr/bin:/bin` },
    extendEnv: false,
    reject: false,
  });
  const said = (file: string): string => {
    try {
      return readFileSync(join(folder, file), "utf8");
    } catch {
      return "";
    }
  };
  return { exitCode, did: said("did").split("\n").filter(Boolean), journal: said("journal") };
}

const reload = "systemctl reload shop-web.service";
const restart = "systemctl restart shop-web.service";

test("a service that answers is left alone", async () => {
  expect(await watch({ answers: [true] })).toEqual({ exitCode: 0, did: [], journal: "" });
});

test.each(["inactive", "activating", "failed", ""])("so is one that is %j", async (active) => {
  expect(await watch({ active, answers: [false] })).toMatchObject({ exitCode: 0, did: [] });
});

test("workers of one that does not answer are reloaded, and the journal has who went and who came", async () => {
  const { exitCode, did, journal } = await watch({
    answers: [false, true],
    workers: ["11 12", "11 12", "", "21 22"],
  });
  expect(exitCode).toBe(0);
  expect(did.filter((line) => line.startsWith("systemctl"))).toEqual([reload]);
  expect(journal).toContain(
    "MESSAGE=shop-web.service: workers reloaded\nOLD_WORKER_PIDS=11 12\nNEW_WORKER_PIDS=21 22\n",
  );
  expect(journal).toContain("SYSLOG_IDENTIFIER=shop-web-watchdog\n");
  expect(did).toContain("logger --journald");
});

test("an old worker that ends slowly is none of those who came", async () => {
  const { did, journal } = await watch({
    answers: [false, true],
    workers: ["11 12", "11 12", "11 12 21 22"],
  });
  expect(did.filter((line) => line.startsWith("systemctl"))).toEqual([reload]);
  expect(journal).toContain("OLD_WORKER_PIDS=11 12\nNEW_WORKER_PIDS=21 22\n");
});

test("an old worker that ends makes no new one", async () => {
  const { did, journal } = await watch({ answers: [false, true], workers: ["11 12", "12"] });
  expect(did.filter((line) => line.startsWith("systemctl"))).toEqual([reload, restart]);
  expect(journal).not.toContain("workers reloaded");
});

test("when that did not help, it is restarted", async () => {
  const { exitCode, did, journal } = await watch({ answers: [false, false, true] });
  expect(exitCode).toBe(0);
  expect(did.filter((line) => line.startsWith("systemctl"))).toEqual([reload, restart]);
  expect(journal).toContain("MESSAGE=shop-web.service: restarted\n");
  expect(journal).not.toContain("workers reloaded");
});

test("so it is when no new workers come", async () => {
  const { did, journal } = await watch({ answers: [false, true], workers: ["11 12"] });
  expect(did.filter((line) => line.startsWith("systemctl"))).toEqual([reload, restart]);
  expect(journal).not.toContain("workers reloaded");
});

test("one that cannot reload is restarted at once", async () => {
  const { did } = await watch({ answers: [false, true], reloads: false });
  expect(did.filter((line) => line.startsWith("systemctl"))).toEqual([restart]);
});

test("what nothing helped is told, and ends badly", async () => {
  const { exitCode, journal } = await watch({ answers: [false] });
  expect(exitCode).toBe(1);
  expect(journal).toContain(
    "PRIORITY=3\nMESSAGE=shop-web.service: restarted, and still without a good answer\n",
  );
});

test("a name that means something to a shell stays a name", () => {
  const [, , script] = watchdogFiles({
    name: "a",
    url: "http://h/it's",
    seconds: 1,
    reloads: true,
  });
  expect(script?.text).toContain(String.raw`url='http://h/it'\''s'`);
});
