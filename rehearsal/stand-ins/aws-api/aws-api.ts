import { randomBytes, randomUUID } from "node:crypto";
import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { devNull } from "node:os";
import type { ResourceType } from "../../../infra/provider/serve.ts";
import type { Account } from "../aws/account.ts";
import type { InstanceRecord } from "../aws/rds/service.ts";
import { current, putSecretValue, secretsOf } from "../aws/secrets.ts";
import { make } from "./actions.ts";
import { backupService } from "./backup.ts";
import { r2Buckets, s3Buckets } from "./buckets.ts";
import { cloudwatchService } from "./cloudwatch.ts";
import { awsErrorOf, notImitated } from "./error.ts";
import { jsonRefusal, type ApiAnswer, type ApiService } from "./protocols.ts";
import { automatedSnapshots } from "./rds-describe.ts";
import { rdsService, snapshotType } from "./rds.ts";
import { readRequest, scopeOf, type Scope } from "./request.ts";
import { s3Refusal, s3Service } from "./s3.ts";
import { secretsManagerService } from "./secrets-manager.ts";

/** How the API is started. */
export interface AwsApiOptions {
  readonly account: Account;
  /** The stand-in of the provider, whose types do what the API changes. */
  readonly aws: {
    readonly types: Readonly<Record<string, ResourceType>>;
    publish(topicArn: string, message: string): Promise<unknown>;
  };
  /** Loopback address to listen on. */
  readonly address: string;
  /** TCP port; a free one when absent. */
  readonly port?: number;
  /** Region that clients are told. */
  readonly region: string;
}

/** The APIs of AWS, and of R2, which speaks S3. */
export interface AwsApi {
  readonly url: string;
  /** What brings every client of the AWS SDK and CLI here, and those of R2; `undefined` is what must not be set. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /**
   * What RDS does by itself in a night: an automated snapshot of every instance that keeps backups.
   *
   * @returns the names of the snapshots
   */
  backUp(): Promise<string[]>;
  /**
   * What people do once secrets were made: a random value for each that has none and that no service keeps itself.
   *
   * @returns the names of the secrets
   */
  fillSecrets(): string[];
  close(): Promise<void>;
}

/**
 * Serves what the rehearsed account holds in the protocols of AWS: the operations that the program, its readings and
 * those who operate it use. Others are refused by name. Any key signs, but a request must be signed.
 */
export async function startAwsApi(options: AwsApiOptions): Promise<AwsApi> {
  const { account, aws, address, port = 0, region } = options;
  const services: Readonly<Record<string, ApiService>> = {
    rds: rdsService(account, aws.types),
    secretsmanager: secretsManagerService(account),
    monitoring: cloudwatchService(account, (topic, message) => aws.publish(topic, message)),
    backup: backupService(account),
    s3: s3Service(s3Buckets(account)),
    r2: s3Service(r2Buckets(account)),
  };
  const server = createServer((incoming, outgoing) => void serve(incoming, outgoing, services));
  server.listen(port, address);
  await once(server, "listening");
  const url = `http://${address}:${String((server.address() as AddressInfo).port)}`;
  return {
    url,
    env: environment(url, region),
    backUp: () => backUp(options),
    fillSecrets: () => fillSecrets(account),
    async close() {
      server.close();
      server.closeAllConnections();
      await once(server, "close");
    },
  };
}

/** R2 is S3 in a region of its own. */
function nameOf({ service, region }: Scope): string {
  return service === "s3" && region === "auto" ? "r2" : service;
}

async function serve(
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  services: Readonly<Record<string, ApiService>>,
): Promise<void> {
  // Before it is known who is asked: in JSON where JSON was sent, in the XML of S3 otherwise.
  let refuse = incoming.headers["x-amz-target"] === undefined ? s3Refusal : jsonRefusal;
  let answer: ApiAnswer;
  try {
    const request = await readRequest(incoming);
    const name = nameOf(scopeOf(request));
    const service = services[name];
    if (service === undefined) throw notImitated(`the service ${name} of AWS`);
    refuse = (error) => service.refusal(error);
    answer = await service.answer(request);
  } catch (error) {
    answer = refuse(awsErrorOf(error));
  }
  outgoing.writeHead(answer.status, { "x-amzn-requestid": randomUUID(), ...answer.headers });
  outgoing.end(incoming.method === "HEAD" ? undefined : answer.body);
}

async function backUp({ account, aws }: AwsApiOptions): Promise<string[]> {
  const type = aws.types[snapshotType];
  if (type === undefined) throw new Error(`the stand-in of aws has no type ${snapshotType}`);
  const { names } = automatedSnapshots(account);
  const kept = account.store
    .collection<InstanceRecord>("aws-rds-instances")
    .items()
    .filter(
      ({ status, described }) =>
        status === "available" && Number(described["backupRetentionPeriod"] ?? 0) > 0,
    );
  return Promise.all(
    kept.map(async ({ identifier }) => {
      const night = new Date().toISOString().replaceAll(/[T:.]/g, "-").slice(0, 23);
      const name = `${identifier}-${night}`;
      // On record first, so that nobody sees it as one that a person took.
      names.set(name, `rds:${name}`);
      const inputs = { dbInstanceIdentifier: identifier, dbSnapshotIdentifier: name };
      await make(type, snapshotType, inputs).catch((error: unknown) => {
        names.delete(name);
        throw error;
      });
      return `rds:${name}`;
    }),
  );
}

function fillSecrets(account: Account): string[] {
  const empty = secretsOf(account)
    .items()
    .filter(
      ({ stages, owner, deleted }) =>
        stages[current] === undefined && owner === undefined && deleted === undefined,
    );
  return empty.map((secret) => {
    putSecretValue(account, secret, { secretString: randomBytes(24).toString("base64url") });
    return secret.name;
  });
}

function environment(url: string, region: string): AwsApi["env"] {
  return {
    AWS_ENDPOINT_URL: url,
    // Programs that speak to R2 look for its endpoint here.
    AWS_ENDPOINT_URL_S3: url,
    R2_ACCESS_KEY_ID: "made-up-for-a-rehearsal",
    R2_SECRET_ACCESS_KEY: "not-a-secret-of-anybody",
    AWS_REGION: region,
    AWS_ACCESS_KEY_ID: "AKIAIOSFODNN7EXAMPLE",
    AWS_SECRET_ACCESS_KEY: "not-a-secret-of-anybody",
    AWS_CONFIG_FILE: devNull,
    AWS_SHARED_CREDENTIALS_FILE: devNull,
    AWS_EC2_METADATA_DISABLED: "true",
    ...Object.fromEntries(unset.map((name) => [name, undefined])),
  };
}

/** What would lead a client somewhere else, or to another's credentials. */
const unset = [
  "AWS_DEFAULT_REGION",
  "AWS_PROFILE",
  "AWS_SESSION_TOKEN",
  "AWS_ROLE_ARN",
  "AWS_WEB_IDENTITY_TOKEN_FILE",
  "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
  "AWS_CONTAINER_CREDENTIALS_FULL_URI",
  "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS",
  ...["BACKUP", "CLOUDWATCH", "ECR", "RDS", "SECRETS_MANAGER", "SQS", "STS"].map(
    (service) => `AWS_ENDPOINT_URL_${service}`,
  ),
];
