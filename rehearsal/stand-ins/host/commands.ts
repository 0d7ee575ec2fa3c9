import type { Systemd, Told } from "./systemd.ts";
import { folderOf, type HostTree } from "./tree.ts";

/** What a command needs. */
export interface CommandContext {
  readonly tree: HostTree;
  readonly systemd: Systemd;
  /** What the command reads. */
  readonly input: Buffer;
}

type Command = (args: readonly string[], context: CommandContext) => Told | Promise<Told>;

/**
 * Runs a command line as the host's shell would, for the few commands that the rehearsal needs. Everything else is
 * refused by name: a command that is quietly passed over would be rehearsed as if it worked.
 *
 * @param user who is logged in; only root does anything without `sudo -n`
 */
export async function runLine(line: string, user: string, context: CommandContext): Promise<Told> {
  const words = wordsOf(line);
  if (words === undefined) return bad(127, `the stand-in takes plain words, not ${line}`);
  const isRaised = words[0] === "sudo" && words[1] === "-n" && words[2] === "--";
  const [name = "", ...args] = isRaised ? words.slice(3) : words;
  if (!isRaised && user !== "root") return bad(1, `${name}: Permission denied`);
  const command = commands[name];
  if (command === undefined) return bad(127, `${name}: the stand-in does not know this command`);
  return command(args, context);
}

const commands: Readonly<Record<string, Command>> = {
  systemctl: (args, { systemd }) => systemd.systemctl(args),
  test: (args, { tree }) =>
    given(args, /^-e (\S+)$/, ([, path = ""]) => (tree.has(path) ? good() : bad(1, ""))),
  cat: (args, { tree }) =>
    given(args, /^(\S+)$/, ([, path = ""]) => {
      const bytes = tree.read(path);
      return bytes === undefined ? missing("cat", path) : good(bytes.toString("utf8"));
    }),
  mkdir: (args, { tree }) =>
    given(args, /^-p (\S+)$/, ([, path = ""]) => {
      tree.makeFolder(path);
      return good();
    }),
  install: (args, { tree }) =>
    given(args, /^-m (0\d{3}) \/dev\/null (\S+)$/, ([, mode = "", path = ""]) => {
      if (!tree.has(folderOf(path))) return missing("install", path);
      tree.create(path, Number.parseInt(mode, 8));
      return good();
    }),
  dd: (args, { tree, input }) =>
    given(args, /^of=(\S+) status=none conv=fsync$/, ([, path = ""]) => {
      if (!tree.has(folderOf(path))) return missing("dd", path);
      tree.write(path, input);
      return good();
    }),
  mv: (args, { tree }) =>
    given(args, /^-fT (\S+) (\S+)$/, ([, from = "", to = ""]) => {
      if (!tree.isFile(from)) return missing("mv", from);
      tree.rename(from, to);
      return good();
    }),
  cp: (args, { tree }) =>
    given(args, /^-pT (\S+) (\S+)$/, ([, from = "", to = ""]) => {
      if (!tree.isFile(from)) return missing("cp", from);
      tree.copy(from, to);
      return good();
    }),
  rm: (args, { tree }) =>
    given(args, /^-f( \S+)+$/, () => {
      for (const path of args.slice(1)) tree.remove(path);
      return good();
    }),
};

/** The words of a command line without anything that a shell would do more with; undefined where there is more. */
function wordsOf(line: string): string[] | undefined {
  const form = /(?:'[^']*'|\\'|[\w@%+=:,./-])+/;
  if (!new RegExp(`^${form.source}(?: ${form.source})*$`).test(line)) return undefined;
  return [...line.matchAll(new RegExp(form, "g"))].map(([word]) =>
    word.replaceAll(/'([^']*)'|\\'/g, (found, inner?: string) => inner ?? found.slice(1)),
  );
}

function given(args: readonly string[], form: RegExp, act: (found: RegExpExecArray) => Told): Told {
  const found = form.exec(args.join(" "));
  if (found === null)
    return bad(2, `the stand-in does not know these arguments: ${args.join(" ")}`);
  return act(found);
}

function good(stdout = ""): Told {
  return { code: 0, stdout, stderr: "" };
}

function bad(code: number, stderr: string): Told {
  return { code, stdout: "", stderr: stderr === "" ? "" : `${stderr}\n` };
}

function missing(command: string, path: string): Told {
  return bad(1, `${command}: ${path}: No such file or directory`);
}
