import { createServer, type AddressInfo } from "node:net";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { inspect } from "node:util";
import { expect, onTestFinished, test, vi } from "vitest";
import { backupRecoveryPoints } from "../../../../infra/readings/aws/backup-recovery-points.ts";
import { backupRestoreJobs } from "../../../../infra/readings/aws/backup-restore-jobs.ts";
import { cloudwatchAlarms } from "../../../../infra/readings/aws/cloudwatch-alarms.ts";
import { ecrImage } from "../../../../infra/readings/aws/ecr-image.ts";
import { rdsInstance } from "../../../../infra/readings/aws/rds-instance.ts";
import { rdsSnapshot } from "../../../../infra/readings/aws/rds-snapshot.ts";
import { s3Bucket } from "../../../../infra/readings/aws/s3-bucket.ts";
import { secretRotation } from "../../../../infra/readings/aws/secret-rotation.ts";
import { sqsQueue } from "../../../../infra/readings/aws/sqs-queue.ts";
import type { ReadingContext, ReadingError } from "../../../../infra/readings/reading.ts";
import { awsEnvironment } from "../../../support/moto.ts";
import { contextOf, failureOf } from "../context.ts";
import { answerAws, useAws, type Answered } from "./aws.ts";

type Read = (context: ReadingContext) => Promise<Readonly<Record<string, unknown>>>;

/** How an error is written in a service's protocol. */
type Write = (code: string) => string;

const query: Write = (code) =>
  `<ErrorResponse><Error><Type>Sender</Type><Code>${code}</Code><Message>canary arn:aws:iam::123456789012:user/one</Message></Error><RequestId>1</RequestId></ErrorResponse>`;
const xml: Write = (code) =>
  `<?xml version="1.0" encoding="UTF-8"?><Error><Code>${code}</Code><Message>canary</Message></Error>`;
const json: Write = (code) =>
  JSON.stringify({ __type: `com.amazonaws#${code}`, message: "canary", Message: "canary" });

/** Every reading, its first action and its protocol. */
const readings: readonly (readonly [action: string, read: Read, write: Write])[] = [
  [
    "backup:DescribeBackupVault",
    (context) => backupRecoveryPoints.read({ vault: "orders" }, context),
    json,
  ],
  [
    "backup:ListRestoreJobs",
    (context) => backupRestoreJobs.read({ withinDays: 90 }, context),
    json,
  ],
  [
    "cloudwatch:DescribeAlarms",
    (context) => cloudwatchAlarms.read({ alarms: ["orders"] }, context),
    json,
  ],
  [
    "ecr:DescribeImages",
    (context) => ecrImage.read({ repository: "orders", tag: "v1" }, context),
    json,
  ],
  ["rds:DescribeDBInstances", (context) => rdsInstance.read({ identifier: "a" }, context), query],
  ["rds:DescribeDBSnapshots", (context) => rdsSnapshot.read({ identifier: "a" }, context), query],
  ["s3:GetBucketVersioning", (context) => s3Bucket.read({ bucket: "orders" }, context), xml],
  [
    "secretsmanager:DescribeSecret",
    (context) => secretRotation.read({ secrets: ["orders"] }, context),
    json,
  ],
  ["sqs:GetQueueUrl", (context) => sqsQueue.read({ queue: "orders" }, context), json],
];

/** Reads what fails, and sees that the error holds nothing of the answer. */
async function failure(read: Read, context = contextOf()): Promise<ReadingError> {
  const error = await failureOf(read(context));
  expect(inspect(error, { depth: null, showHidden: true })).not.toMatch(/canary|123456789012/);
  return error;
}

const credentials = ". To do: sign in again, and check this machine's clock";

/** What is answered, and what is said of it. */
const answers: readonly (readonly [
  name: string,
  answer: (write: Write) => Answered,
  says: (action: string) => string,
  again: boolean,
])[] = [
  [
    "denies",
    (write) => [400, write("AccessDeniedException")],
    (action) => `AWS denies ${action}. To do: allow the run's credentials this action`,
    false,
  ],
  [
    "denies with its status",
    (write) => [403, write("SomethingElse")],
    (action) => `AWS denies ${action}. To do: allow the run's credentials this action`,
    false,
  ],
  [
    "refuses an expired session",
    (write) => [400, write("ExpiredTokenException")],
    (action) => `AWS does not accept the credentials to ask ${action} (ExpiredTokenException)`,
    false,
  ],
  [
    "refuses credentials with the status of a denial",
    (write) => [403, write("SignatureDoesNotMatch")],
    (action) =>
      `AWS does not accept the credentials to ask ${action} (SignatureDoesNotMatch)${credentials}`,
    false,
  ],
  [
    "is asked too often",
    (write) => [400, write("ThrottlingException")],
    (action) => `AWS has too many requests to answer ${action}`,
    true,
  ],
  [
    "says so with its status",
    (write) => [429, write("Busy")],
    (action) => `AWS has too many requests to answer ${action}`,
    true,
  ],
  [
    "fails",
    (write) => [500, write("InternalFailure")],
    (action) => `AWS failed to answer ${action} (status 500)`,
    true,
  ],
  [
    "stands behind a broken gateway",
    () => [502, "<html><hr>canary"],
    (action) => `AWS failed to answer ${action} (status 502)`,
    true,
  ],
  [
    "speaks another protocol",
    () => "<html><p>canary",
    (action) => `what answers ${action} does not speak its protocol (status 200)`,
    false,
  ],
  [
    "refuses a request",
    (write) => [400, write("ValidationException")],
    (action) => `AWS cannot be asked ${action} (ValidationException)`,
    false,
  ],
  [
    "refuses with a code that is none",
    (write) => [400, write("canary/value")],
    (action) => `AWS cannot be asked ${action}`,
    false,
  ],
  [
    "hangs up",
    () => (response) => {
      response.destroy();
    },
    (action) => `AWS cannot be reached to ask ${action} (ECONNRESET)`,
    true,
  ],
  [
    "breaks off",
    () => (response) => {
      response.writeHead(200, { "content-length": 100 });
      response.write("<canary", () => {
        response.destroy();
      });
    },
    (action) => `AWS cannot be reached to ask ${action} (ECONNRESET)`,
    true,
  ],
];

for (const [name, answer, says, again] of answers) {
  test.each(readings)(`AWS ${name}: %s`, async (action, read, write) => {
    const asked = await answerAws(() => answer(write));
    const error = await failure(read);
    expect(error.message).toContain(says(action));
    expect(error.again).toBe(again);
    expect(asked).toHaveLength(1);
  });
}

test.each(readings)("AWS does not answer before the time is over: %s", async (action, read) => {
  const abort = new AbortController();
  await answerAws(() => () => {
    abort.abort();
  });
  const error = await failure(read, contextOf({ signal: abort.signal }));
  expect(error.message).toBe(`AWS did not answer ${action} in time`);
  expect(error.again).toBe(true);
});

test.each(readings)("the time is over before AWS is asked: %s", async (action, read) => {
  const asked = await answerAws(() => "");
  const error = await failure(read, contextOf({ signal: AbortSignal.abort() }));
  expect(error.message).toBe(`AWS did not answer ${action} in time`);
  expect(asked).toEqual([]);
});

test.each(readings)("there are no credentials: %s", async (_action, read) => {
  const asked = await answerAws(() => "");
  vi.stubEnv("AWS_ACCESS_KEY_ID", undefined);
  const error = await failure(read);
  expect(error.message).toBe(
    "there are no AWS credentials. To do: sign in, or set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY",
  );
  expect(error.again).toBe(false);
  expect(asked).toEqual([]);
});

test.each(readings)("there is no region: %s", async (action, read) => {
  await answerAws(() => "");
  vi.stubEnv("AWS_REGION", undefined);
  const error = await failure(read);
  expect(error.message).toBe(
    `there is no AWS region to ask ${action} in. To do: name it as "region" of the reading or in AWS_REGION`,
  );
  expect(error.again).toBe(false);
});

test("nothing listens where AWS should be", async () => {
  const server = createServer().listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  useAws(awsEnvironment(`http://127.0.0.1:${port}`));
  const error = await failure((context) => rdsInstance.read({ identifier: "a" }, context));
  expect(error.message).toBe("AWS cannot be reached to ask rds:DescribeDBInstances (ECONNREFUSED)");
  expect(error.again).toBe(true);
});

/** Brings clients to a profile of the SDK's configuration. */
async function useProfile(config: string): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "cutover-aws-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const file = join(folder, "config");
  await writeFile(file, `[profile release]\n${config}`);
  vi.stubEnv("AWS_ACCESS_KEY_ID", undefined);
  vi.stubEnv("AWS_PROFILE", "release");
  vi.stubEnv("AWS_CONFIG_FILE", file);
}

const keys = "aws_access_key_id = AKIDCANARY\naws_secret_access_key = canary-key\n";

test("a secret of the configuration is not told", async () => {
  await answerAws(() => [403, query("InvalidClientTokenId")]);
  await useProfile(keys);
  const error = await failure((context) => rdsInstance.read({ identifier: "a" }, context));
  expect(error.message).toContain("AWS does not accept the credentials");
});

test("a role that may not be assumed is told from what is asked with it", async () => {
  const asked = await answerAws(() => [403, query("AccessDenied")]);
  await useProfile(
    `role_arn = arn:aws:iam::123456789012:role/release\nsource_profile = keys\n[profile keys]\n${keys}`,
  );
  const error = await failure((context) => rdsInstance.read({ identifier: "a" }, context));
  expect(error.message).toBe(
    "AWS denies sts:AssumeRole. To do: allow the run's credentials this action",
  );
  expect(asked.map(({ action }) => action)).toEqual(["AssumeRole"]);
});
