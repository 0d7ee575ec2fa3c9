import { setImmediate } from "node:timers/promises";
import type { Call, Properties, ResourceType } from "../../../infra/provider/serve.ts";

/**
 * Begins to make something that takes its time, as a cloud does: returns once it is on record, and goes on. Should it
 * fail after that, there is no such thing any more.
 *
 * @throws ApiError when it is refused
 */
export async function begin(type: ResourceType, token: string, inputs: Properties): Promise<void> {
  const done = type.create(inputs, callOf(token));
  done.catch(() => undefined);
  await Promise.race([done, setImmediate()]);
}

/** Makes something and waits until it is whole. */
export async function make(type: ResourceType, token: string, inputs: Properties): Promise<void> {
  await type.create(inputs, callOf(token));
}

/** Changes some inputs of what an id names, as it is on record, and waits until that is done. */
export async function change(
  type: ResourceType,
  token: string,
  id: string,
  inputs: Properties,
): Promise<void> {
  const call = callOf(token);
  const found = await type.read?.(id, { inputs: {}, outputs: {} }, call);
  if (found === undefined) throw new Error(`the stand-in has no ${token} ${id}`);
  await type.update?.(found.id, found, { ...found.inputs, ...inputs }, call);
}

/** Removes something and waits until it is gone. */
export async function finish(
  type: ResourceType,
  token: string,
  id: string,
  inputs: Properties,
): Promise<void> {
  await type.delete?.(id, { inputs, outputs: {} }, callOf(token));
}

/** A call of nobody's program: what it would say in the output of the CLI has no reader. */
function callOf(type: string): Call {
  return {
    urn: "",
    name: "aws-api",
    type,
    preview: false,
    signal: new AbortController().signal,
    timeoutSeconds: 0,
    log: () => undefined,
  };
}
