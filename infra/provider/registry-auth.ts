import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import { z } from "zod";
import { codeOf } from "./error-text.ts";
import { RefusedError } from "./resource-type.ts";

/** What a registry wants to see before it gives an image. */
export interface RegistryAuth {
  readonly username: string;
  readonly password: string;
  readonly serveraddress: string;
}

// https://docs.docker.com/reference/cli/docker/#docker-cli-configuration-file-configjson-properties
const config = z.looseObject({
  auths: z.record(z.string(), z.looseObject({ auth: z.string().optional() })).default({}),
  credHelpers: z.record(z.string(), z.string()).default({}),
  credsStore: z.string().optional(),
});

const answer = z.looseObject({ Username: z.string(), Secret: z.string() });

/**
 * Finds what `docker login` has left for the registry of an image: in Docker's configuration file, or with the program
 * that it names. Undefined when there is nothing.
 *
 * @throws RefusedError when the file cannot be used, or the program fails
 */
export async function registryAuth(image: string): Promise<RegistryAuth | undefined> {
  const file = join(process.env["DOCKER_CONFIG"] ?? join(homedir(), ".docker"), "config.json");
  const { auths, credHelpers, credsStore } = await readConfig(file);
  const address = registryOf(image);
  const helper = credHelpers[address] ?? credsStore;
  if (helper !== undefined) return askHelper(helper, address);
  const text = Buffer.from(auths[address]?.auth ?? "", "base64").toString();
  const at = text.indexOf(":");
  if (at === -1) return undefined;
  return { username: text.slice(0, at), password: text.slice(at + 1), serveraddress: address };
}

const dockerHub = "https://index.docker.io/v1/";

function registryOf(image: string): string {
  const [first = ""] = image.split("/");
  const isRegistry = image.includes("/") && (/[.:]/.test(first) || first === "localhost");
  return isRegistry && first !== "docker.io" ? first : dockerHub;
}

async function readConfig(file: string): Promise<z.output<typeof config>> {
  try {
    return config.parse(JSON.parse(await readFile(file, "utf8")));
  } catch (error) {
    if (codeOf(error) === "ENOENT") return config.parse({});
    // What is wrong with it may quote a password.
    throw new RefusedError(
      `${file} cannot be used: it cannot be read, or is not Docker's configuration. ` +
        "To do: docker login writes it",
    );
  }
}

const helperMilliseconds = 30_000;

async function askHelper(helper: string, address: string): Promise<RegistryAuth | undefined> {
  const program = `docker-credential-${helper}`;
  const said = await new Promise<string | undefined>((resolve, reject) => {
    const child = execFile(program, ["get"], { timeout: helperMilliseconds }, (error, stdout) => {
      if (error === null) resolve(stdout);
      // Every helper says so on stdout when it has nothing.
      else if (stdout.includes("credentials not found")) resolve(undefined);
      else {
        const what = `${program}, which Docker's configuration names, did not answer for ${address}`;
        reject(new RefusedError(`${what}. To do: docker login ${address}`));
      }
    });
    child.stdin?.on("error", () => undefined);
    child.stdin?.end(address);
  });
  if (said === undefined) return undefined;
  const { Username, Secret } = answer.parse(JSON.parse(said));
  return { username: Username, password: Secret, serveraddress: address };
}
