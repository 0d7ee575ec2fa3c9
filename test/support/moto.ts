import { devNull } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { execa } from "execa";
import { python } from "./python.ts";

/** A stand-in for AWS: moto, empty, in a process of its own. */
export interface Moto {
  readonly endpoint: string;
  /** What brings clients of AWS to it, and nowhere else. */
  readonly environment: AwsEnvironment;
  close(): Promise<void>;
}

/** Environment variables by name; undefined ones are to be absent. */
export type AwsEnvironment = Readonly<Record<string, string | undefined>>;

// It ends with its input, so that it outlives no test, not even one that was killed.
const program = `
import logging, sys
from moto.server import ThreadedMotoServer
logging.getLogger("werkzeug").setLevel(logging.ERROR)
server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
server.start()
print(server.get_host_and_port()[1], flush=True)
sys.stdin.read()
`;

/** Starts moto on a free port of 127.0.0.1; the first time, it is installed. */
export async function startMoto(): Promise<Moto> {
  const { bin } = await python();
  const server = execa(join(bin, "python"), ["-c", program], { stdin: "pipe", reject: false });
  const first = await createInterface(server.stdout)[Symbol.asyncIterator]().next();
  if (first.done === true) throw new Error(`moto did not start:\n${(await server).stderr}`);
  const endpoint = `http://127.0.0.1:${first.value}`;
  return {
    endpoint,
    environment: awsEnvironment(endpoint),
    async close() {
      server.stdin.end();
      await server;
    },
  };
}

/** What brings clients of AWS to an endpoint with made-up credentials, whatever the machine is set up for. */
export function awsEnvironment(endpoint: string): AwsEnvironment {
  return {
    AWS_ENDPOINT_URL: endpoint,
    AWS_REGION: "eu-central-1",
    AWS_ACCESS_KEY_ID: "AKIDEXAMPLE",
    AWS_SECRET_ACCESS_KEY: "made-up-secret-key",
    AWS_SESSION_TOKEN: undefined,
    AWS_PROFILE: undefined,
    AWS_CONFIG_FILE: devNull,
    AWS_SHARED_CREDENTIALS_FILE: devNull,
    AWS_EC2_METADATA_DISABLED: "true",
    AWS_CONTAINER_CREDENTIALS_RELATIVE_URI: undefined,
    AWS_CONTAINER_CREDENTIALS_FULL_URI: undefined,
    AWS_WEB_IDENTITY_TOKEN_FILE: undefined,
    AWS_IGNORE_CONFIGURED_ENDPOINT_URLS: undefined,
    ...Object.fromEntries(services.map((name) => [`AWS_ENDPOINT_URL_${name}`, undefined])),
  };
}

const services = ["BACKUP", "CLOUDWATCH", "ECR", "RDS", "S3", "SECRETS_MANAGER", "SQS", "STS"];
