import type { Resource } from "@pulumi/pulumi";

/**
 * Fails a program that runs out of work before its last step was registered. The SDK would tell the engine that the
 * program is complete (a cycle of dependencies ends so), and the engine would delete what was not declared.
 */
export function refuseEarlyEnd({ record }: { readonly record?: Resource }): void {
  let complete = false;
  record?.urn.apply(() => {
    complete = true;
  });
  // The SDK reports success from a later handler of the same event, and only while the exit code is 0.
  process.prependListener("beforeExit", () => {
    if (complete || (process.exitCode ?? 0) !== 0) return;
    console.error(
      "The program ended before its last step was declared. Nothing more is changed and nothing is deleted. " +
        "To do: look for resources that wait for each other.",
    );
    process.exitCode = 1;
  });
}
