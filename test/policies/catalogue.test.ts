import { expect, test } from "vitest";
import { releaseGates } from "../../policies/release-gates.ts";
import { catalogue } from "../support/catalogue.ts";

test("the README lists every gate as it is", async () => {
  await expect(catalogue(releaseGates)).toMatchFileSnapshot("../../policies/README.md");
});
