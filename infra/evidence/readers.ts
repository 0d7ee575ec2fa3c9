import type { Reader } from "./reader.ts";
import { audit } from "./readers/audit.ts";
import { ciRun } from "./readers/ci-run.ts";
import { comparison } from "./readers/comparison.ts";
import { coverage } from "./readers/coverage.ts";
import { junit } from "./readers/junit.ts";
import { k6 } from "./readers/k6.ts";
import { markdown } from "./readers/markdown.ts";
import { openapi } from "./readers/openapi.ts";
import { playwright } from "./readers/playwright.ts";
import { prisma } from "./readers/prisma.ts";
import { sarif } from "./readers/sarif.ts";
import { trivy } from "./readers/trivy.ts";
import { vitest } from "./readers/vitest.ts";

/** Every format of reports that can become evidence. */
export const readers: readonly Reader[] = [
  audit,
  ciRun,
  comparison,
  coverage,
  junit,
  k6,
  markdown,
  openapi,
  playwright,
  prisma,
  sarif,
  trivy,
  vitest,
];
