import * as pulumi from "@pulumi/pulumi";

/** One resource as a program declared it. */
export interface Declared {
  readonly type: string;
  readonly name: string;
  readonly inputs: Readonly<Record<string, unknown>>;
}

/**
 * Runs a piece of a program and returns what it declared, by type token. Everything is registered when this returns, so
 * that no assertion hangs in an output that nobody waits for.
 *
 * @param outputs what a resource answers beyond its inputs, by type token
 */
export async function declared(
  program: () => unknown,
  outputs: Readonly<Record<string, Record<string, unknown>>> = {},
): Promise<Declared[]> {
  const seen: Declared[] = [];
  await pulumi.runtime.setMocks(
    {
      newResource: ({ type, name, inputs }) => {
        seen.push({ type, name, inputs: inputs as Record<string, unknown> });
        return { id: `${name}-id`, state: { ...(inputs as object), ...outputs[type] } };
      },
      call: () => ({}),
    },
    "cutover",
    "test",
    false,
  );
  // The SDK's mocks leave hooks without an answer, and whatever has one would wait for ever.
  Object.assign(pulumi.runtime.getMonitor() ?? {}, {
    registerResourceHook: (_: unknown, done: (error: null, response: object) => void) => {
      done(null, {});
    },
  });
  await program();
  await pulumi.runtime.disconnect();
  return seen;
}

/** The only declared resource of a type. */
export function only(resources: readonly Declared[], type: string): Declared {
  const found = resources.filter((resource) => resource.type === type);
  if (found.length !== 1 || found[0] === undefined) {
    throw new Error(`Expected one ${type}, found ${found.length}.`);
  }
  return found[0];
}

/** A step that waits for nothing and has no hooks. */
export const firstStep = { dependsOn: [], hooks: {} };
