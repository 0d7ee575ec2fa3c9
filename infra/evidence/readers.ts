import type { Reader } from "./reader.ts";
import { audit } from "./readers/audit.ts";
import { ciRun } from "./readers/ci-run.ts";
import { comparison } from "./readers/comparison.ts";
import { coverage } from "./readers/coverage.ts";
import { csv } from "./readers/csv.ts";
import { dotenv } from "./readers/dotenv.ts";
import { gitDiff } from "./readers/git-diff.ts";
import { gitTree } from "./readers/git-tree.ts";
import { json } from "./readers/json.ts";
import { junit } from "./readers/junit.ts";
import { k6 } from "./readers/k6.ts";
import { keyValue } from "./readers/key-value.ts";
import { markdown } from "./readers/markdown.ts";
import { markdownTable } from "./readers/markdown-table.ts";
import { names } from "./readers/names.ts";
import { nextRoutes } from "./readers/next-routes.ts";
import { openapi } from "./readers/openapi.ts";
import { playwright } from "./readers/playwright.ts";
import { prisma } from "./readers/prisma.ts";
import { prometheus } from "./readers/prometheus.ts";
import { sarif } from "./readers/sarif.ts";
import { trivy } from "./readers/trivy.ts";
import { tsc } from "./readers/tsc.ts";
import { vitest } from "./readers/vitest.ts";

/** Every format of reports that can become evidence. */
export const readers: readonly Reader[] = [
  audit,
  ciRun,
  comparison,
  coverage,
  csv,
  dotenv,
  gitDiff,
  gitTree,
  json,
  junit,
  k6,
  keyValue,
  markdown,
  markdownTable,
  names,
  nextRoutes,
  openapi,
  playwright,
  prisma,
  prometheus,
  sarif,
  trivy,
  tsc,
  vitest,
];
