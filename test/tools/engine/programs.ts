import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";

/** Writes a file and the folders it is in. */
export function put(file: string, text: string): string {
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text);
  return file;
}

/** Writes a program; its text is JavaScript. */
export function putProgram(file: string, script: string): string {
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, `#!${process.execPath}\n${script}\n`, { mode: 0o755 });
  return file;
}

/** Writes a pulumi that tells a version. */
export function putPulumi(folder: string, version = "v3.259.0"): string {
  return putProgram(join(folder, "pulumi"), `console.log(${JSON.stringify(version)});`);
}

/** Writes a language host. */
export function putHost(folder: string): string {
  return putProgram(join(folder, "pulumi-language-nodejs"), "");
}
