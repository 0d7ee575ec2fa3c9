import type { ImageScanFindings } from "@aws-sdk/client-ecr";
import { z } from "zod";
import type { ReleaseIdentity } from "../../../policies/contract/statement.ts";
import { ReadingError, readingKind } from "../reading.ts";
import { numberFact, region, timeFact, withAws } from "./client.ts";

const target = z
  .strictObject({
    repository: z
      .string()
      .regex(/^[a-z0-9]+([._/-][a-z0-9]+)*$/, "must be the name of an ECR repository")
      .meta({ description: "name of the ECR repository", example: "flagship/orders" }),
    digest: z
      .string()
      .regex(/^sha256:[0-9a-f]{64}$/, "must be sha256: and 64 hex digits")
      .optional()
      .meta({
        description: "digest of the image; without it and a tag, the release's image of this name",
        example: `sha256:${"0123456789abcdef".repeat(4)}`,
      }),
    tag: z
      .string()
      .regex(/^\w[\w.-]{0,127}$/, "must be the tag of an image")
      .optional()
      .meta({ description: "tag of the image, instead of its digest", example: "v1.2.0" }),
    region,
  })
  .refine(
    ({ digest, tag }) => digest === undefined || tag === undefined,
    "required is at most one of digest and tag",
  );

/** Reads an image in ECR and its last scan for vulnerabilities. */
export const ecrImage = readingKind({
  kind: "ecr-image",
  title: "an image in ECR and its scan",
  target,
  facts: {
    exists: "true when the repository has the image",
    digest: "sha256: and 64 hexadecimal digits; null when the image does not exist",
    ofRelease: "true when the release has this very image; null when the image does not exist",
    pushedAt:
      "ISO 8601, when it was pushed; null when the image does not exist, or AWS does not say",
    tags: "list of its tags, sorted; empty when the image does not exist",
    scan: "its last scan for vulnerabilities; null when there was none; a record of `status` (such as COMPLETE, or ACTIVE for a continuous one), `completedAt` (ISO 8601; null when AWS does not say) and `findings` (by severity, how many there are, as in `scan.findings.CRITICAL`; null until the scan is complete)",
  },
  subject: ({ repository, digest, tag }) =>
    digest === undefined
      ? `${repository}${tag === undefined ? "" : `:${tag}`}`
      : `${repository}@${digest}`,

  async read({ repository, digest, tag, ...where }, context) {
    const {
      ECRClient,
      DescribeImagesCommand,
      DescribeImageScanFindingsCommand,
      FindingSeverity,
      ImageNotFoundException,
    } = await import("@aws-sdk/client-ecr");
    const ofRelease = releaseDigests(repository, context.release);
    const imageId =
      tag === undefined
        ? { imageDigest: digest ?? only(ofRelease, repository) }
        : { imageTag: tag };
    return withAws(
      (options) => new ECRClient(options),
      where,
      context,
      async ({ client, find, absent }) => {
        const image = { repositoryName: repository, imageIds: [imageId] };
        const answer = await find(
          "ecr:DescribeImages",
          ["RepositoryNotFoundException"],
          (options) =>
            client.send(new DescribeImagesCommand(image), options).catch((error: unknown) => {
              if (error instanceof ImageNotFoundException) return { imageDetails: [] };
              throw error;
            }),
        );
        if (answer === undefined) throw await absent(`ECR repository ${repository}`);
        const detail = answer.imageDetails?.[0];
        if (detail?.imageDigest === undefined) return absentImage;
        const { imageDigest } = detail;
        const scanned = await find(
          "ecr:DescribeImageScanFindings",
          ["ScanNotFoundException"],
          (options) =>
            client.send(
              new DescribeImageScanFindingsCommand({
                repositoryName: repository,
                imageId: { imageDigest },
                // The counts are of all findings.
                maxResults: 1,
              }),
              options,
            ),
        );
        return {
          exists: true,
          digest: imageDigest,
          ofRelease: ofRelease.includes(imageDigest),
          pushedAt: timeFact(detail.imagePushedAt),
          tags: [...(detail.imageTags ?? [])].sort(),
          scan:
            scanned?.imageScanStatus?.status === undefined
              ? null
              : scanFacts(
                  scanned.imageScanStatus.status,
                  scanned.imageScanFindings,
                  Object.values(FindingSeverity),
                ),
        };
      },
    );
  },
});

const absentImage = {
  exists: false,
  digest: null,
  ofRelease: null,
  pushedAt: null,
  tags: [],
  scan: null,
};

/** States of a scan that has looked at everything; continuous ones are `ACTIVE`. */
const complete: readonly string[] = ["COMPLETE", "ACTIVE"];

function scanFacts(
  status: string,
  found: ImageScanFindings | undefined,
  severities: readonly string[],
): Readonly<Record<string, unknown>> {
  const counts = complete.includes(status) ? found?.findingSeverityCounts : undefined;
  // AWS counts only what it found.
  const none = Object.fromEntries(severities.map((severity) => [severity, 0]));
  return {
    status,
    completedAt: timeFact(found?.imageScanCompletedAt),
    findings:
      counts === undefined
        ? null
        : Object.fromEntries(
            Object.entries({ ...none, ...counts }).map(([severity, count]) => [
              severity,
              numberFact(count),
            ]),
          ),
  };
}

const registry = /^[^/]*[.:][^/]*\//;
const tagInName = /:[^/]*$/;

/** Digests of the release's images of a repository, in whatever registry. */
function releaseDigests(repository: string, { images }: ReleaseIdentity): readonly string[] {
  const digests = Object.values(images)
    .map((reference) => reference.split("@"))
    .filter(([name = ""]) => name.replace(registry, "").replace(tagInName, "") === repository)
    .map(([, digest = ""]) => digest);
  return [...new Set(digests)];
}

function only(digests: readonly string[], repository: string): string {
  const [digest, ...others] = digests;
  if (digest === undefined || others.length > 0) {
    throw new ReadingError(
      `the release has ${digests.length} images of ${repository}, required is one. To do: name a digest or a tag`,
    );
  }
  return digest;
}
