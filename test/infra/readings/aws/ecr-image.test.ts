import {
  CreateRepositoryCommand,
  ECRClient,
  PutImageCommand,
  StartImageScanCommand,
} from "@aws-sdk/client-ecr";
import { afterAll, beforeEach, expect, test } from "vitest";
import { ecrImage } from "../../../../infra/readings/aws/ecr-image.ts";
import { startMoto } from "../../../support/moto.ts";
import { contextOf, failureOf, readFacts } from "../context.ts";
import { answerAws, useAws, type Answered, type Asked } from "./aws.ts";

const moto = await startMoto();
afterAll(() => moto.close());
beforeEach(() => {
  useAws(moto.environment);
});

interface Target {
  readonly repository: string;
  readonly digest?: string;
  readonly tag?: string;
}

function read(
  target: Target,
  images: Readonly<Record<string, string>> = {},
): Promise<Readonly<Record<string, unknown>>> {
  const { release } = contextOf();
  return readFacts(ecrImage, target, contextOf({ release: { ...release, images } }));
}

/** Pushes an image with a tag and returns its digest. */
async function push(repository: string, tag: string): Promise<string> {
  const client = new ECRClient();
  await client.send(new CreateRepositoryCommand({ repositoryName: repository }));
  const { image } = await client.send(
    new PutImageCommand({
      repositoryName: repository,
      imageTag: tag,
      imageManifest: JSON.stringify({
        schemaVersion: 2,
        mediaType: "application/vnd.docker.distribution.manifest.v2+json",
        config: {
          mediaType: "application/vnd.docker.container.image.v1+json",
          size: 1,
          digest: `sha256:${"1".repeat(64)}`,
        },
        layers: [],
      }),
    }),
  );
  client.destroy();
  return image?.imageId?.imageDigest ?? "";
}

const digest = `sha256:${"2".repeat(64)}`;

/** An image with this scan, in the protocol of AWS. */
function scanned(scan: object): (asked: Asked) => Answered {
  const answers: Readonly<Record<string, string>> = {
    DescribeImages: JSON.stringify({ imageDetails: [{ imageDigest: digest }] }),
    DescribeImageScanFindings: JSON.stringify(scan),
  };
  return ({ action }) => answers[action] ?? [400, "{}"];
}

const noFindings = {
  CRITICAL: 0,
  HIGH: 0,
  MEDIUM: 0,
  LOW: 0,
  INFORMATIONAL: 0,
  UNDEFINED: 0,
};

const absent = {
  exists: false,
  digest: null,
  ofRelease: null,
  pushedAt: null,
  tags: [],
  scan: null,
};

test("an image that was not scanned, then one that was", async () => {
  const pushed = await push("flagship/orders", "v1.2.0");
  const image = {
    exists: true,
    digest: pushed,
    ofRelease: false,
    pushedAt: expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/),
    tags: ["v1.2.0"],
    scan: null,
  };
  const target = { repository: "flagship/orders", tag: "v1.2.0" };
  expect(await read(target)).toEqual(image);
  const client = new ECRClient();
  const imageId = { imageDigest: pushed };
  await client.send(new StartImageScanCommand({ repositoryName: "flagship/orders", imageId }));
  client.destroy();
  expect(await read({ repository: "flagship/orders", digest: pushed })).toEqual({
    ...image,
    scan: {
      status: "COMPLETE",
      completedAt: expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/),
      findings: { ...noFindings, HIGH: 1 },
    },
  });
  expect(await read({ repository: "flagship/orders", tag: "none" })).toEqual(absent);
  expect(await read({ repository: "flagship/orders", digest })).toEqual(absent);
});

test("an image of the release", async () => {
  const pushed = await push("flagship/payments", "v1.2.0");
  const images = {
    payments: `123456789012.dkr.ecr.eu-central-1.amazonaws.com/flagship/payments:v1@${pushed}`,
    worker: `flagship/payments@${pushed}`,
    other: `registry.example.com/flagship/other@${digest}`,
  };
  const own = { exists: true, digest: pushed, ofRelease: true };
  expect(await read({ repository: "flagship/payments" }, images)).toMatchObject(own);
  expect(await read({ repository: "flagship/payments", tag: "v1.2.0" }, images)).toMatchObject(own);
});

test.each([
  ["none", {}, 0],
  ["one of a longer name", { orders: `registry.example.com/flagship/orders@${digest}` }, 0],
  ["two", { a: `orders@${digest}`, b: `orders@sha256:${"3".repeat(64)}` }, 2],
])("a release whose images of the repository are %s", async (_name, images, count) => {
  const { message } = await failureOf(read({ repository: "orders" }, images));
  expect(message).toBe(
    `the release has ${count} images of orders, required is one. To do: name a digest or a tag`,
  );
});

test("a repository that does not exist", async () => {
  const { message } = await failureOf(read({ repository: "none", tag: "v1" }));
  expect(message).toBe("there is no ECR repository none in eu-central-1");
});

test("a continuous scan is complete, with as many findings as its counts say", async () => {
  const asked = await answerAws(
    scanned({
      imageScanStatus: { status: "ACTIVE", description: "canary" },
      imageScanFindings: {
        imageScanCompletedAt: Date.parse("2026-01-01T00:00:00Z") / 1000,
        findingSeverityCounts: { CRITICAL: 2, LOW: 40, UNDEFINED: -1, UNTRIAGED: 3 },
        enhancedFindings: [{ title: "canary" }],
      },
    }),
  );
  const { scan } = await read({ repository: "orders", digest });
  expect(scan).toEqual({
    status: "ACTIVE",
    completedAt: "2026-01-01T00:00:00.000Z",
    findings: { ...noFindings, CRITICAL: 2, LOW: 40, UNDEFINED: null, UNTRIAGED: 3 },
  });
  expect(JSON.parse(asked.at(-1)?.body ?? "")).toMatchObject({ imageId: { imageDigest: digest } });
});

test.each(["IN_PROGRESS", "PENDING", "FAILED", "UNSUPPORTED_IMAGE", "SCAN_ELIGIBILITY_EXPIRED"])(
  "a scan that is %s tells no findings",
  async (status) => {
    const findings = { findingSeverityCounts: { CRITICAL: 0 } };
    await answerAws(scanned({ imageScanStatus: { status }, imageScanFindings: findings }));
    expect(await read({ repository: "orders", digest })).toMatchObject({
      scan: { status, completedAt: null, findings: null },
    });
  },
);

test("a complete scan without findings, and one that tells none", async () => {
  const imageScanStatus = { status: "COMPLETE" };
  await answerAws(scanned({ imageScanStatus, imageScanFindings: { findingSeverityCounts: {} } }));
  expect(await read({ repository: "orders", digest })).toMatchObject({
    scan: { findings: noFindings },
  });
  await answerAws(scanned({ imageScanStatus }));
  expect(await read({ repository: "orders", digest })).toMatchObject({ scan: { findings: null } });
});

test("empty answers are no image and no scan", async () => {
  await answerAws(scanned({}));
  expect(await read({ repository: "orders", digest })).toMatchObject({ exists: true, scan: null });
  await answerAws(() => "{}");
  expect(await read({ repository: "orders", digest })).toEqual(absent);
});

test.each([
  [{ repository: "orders" }, true],
  [{ repository: "orders", digest }, true],
  [{ repository: "flagship/orders-v2.api", tag: "v1.2.0" }, true],
  [{ repository: "orders", digest, tag: "v1.2.0" }, false],
  [{ repository: "orders", digest: "2".repeat(64) }, false],
  [{ repository: "orders", digest: `${digest}0` }, false],
  [{ repository: "orders", tag: "" }, false],
  [{ repository: "orders", tag: "-v1" }, false],
  [{ repository: "Orders" }, false],
  [{ repository: "" }, false],
])("the target %j", (target, valid) => {
  expect(ecrImage.target.safeParse(target).success).toBe(valid);
});

test.each([
  [{ repository: "orders" }, "orders"],
  [{ repository: "orders", tag: "v1" }, "orders:v1"],
  [{ repository: "orders", digest }, `orders@${digest}`],
])("the subject of %j", (target, subject) => {
  expect(ecrImage.subject(target)).toBe(subject);
});
