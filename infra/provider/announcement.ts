import { z } from "zod";
import { digestOf } from "../../policies/contract/digest.ts";
import {
  announcementMoments,
  isWebhookUrl,
  webhookUrlForm,
  type AnnouncementMoment,
} from "../announcement.ts";
import { postJson, type Reply } from "./http-post.ts";
import { inputFailures, parseInputs } from "./inputs.ts";
import { sameProperty, type Properties } from "./properties.ts";
import { RefusedError, type Call, type ResourceType } from "./resource-type.ts";

const inputs = z.strictObject({
  stack: z.string().min(1),
  release: z.string().min(1),
  /** As the stack config calls it. */
  name: z.string().min(1),
  /** When in a release it is made. */
  on: z.enum(announcementMoments),
  text: z.string().min(1),
  /** Where it is sent; a secret. */
  url: z.string().refine(isWebhookUrl, `required is ${webhookUrlForm}`),
  /** When the cutover is to begin, ISO 8601. */
  plannedCutover: z.string().nullish(),
  /** When the newest release before this run went live, ISO 8601: tells two moves to one release apart. */
  lastLiveAt: z.string().nullish(),
  /** Seconds after the announcement within which what it asks for is due. */
  dueWithinSeconds: z.number().int().positive().nullish(),
});

/** Inputs of an announcement. */
type AnnouncementInputs = Readonly<z.infer<typeof inputs>>;

/** How patient an announcement is, milliseconds. */
interface Patience {
  /** All tries together, with the pauses between them. */
  readonly deadline: number;
  /** Around which the first pause lies; the next is about twice as long. */
  readonly firstPause: number;
}

/** Tries after the first one: a restart or a lost packet is over by the last. */
const moreTries = 3;

/**
 * An announcement of a release: a webhook was sent its text and answered 2xx. The outputs say when and with which
 * status, and when what it asks for is due.
 *
 * It is sent at least once: a run that is killed between the answer and the state sends it again, under the same
 * `Idempotency-Key`, so that the receiver can drop the double. The key is made from all that is said, from the move that
 * it is said of, and from the announcement that it corrects: going back to one release for the second time is another
 * announcement, and so is going back to a text.
 *
 * A change of anything but the URL sends it again, because it corrects what was said. A new URL alone says nothing new.
 * Delete does nothing: what was announced was announced.
 */
export const announcement: ResourceType = announcing({ deadline: 10_000, firstPause: 300 });

/** An {@link announcement} with a patience of its own. */
export function announcing(patience: Patience): ResourceType {
  return {
    check: (news) => inputFailures(inputs, news),

    diff(olds, news) {
      const diffs = changedWords(olds.inputs, news);
      return { changes: diffs.length > 0, diffs };
    },

    async create(news, call) {
      if (call.preview) return { id: "", outputs: {} };
      const parsed = parseInputs(inputs, news);
      const { stack, release, name } = parsed;
      return { id: `${stack}:${release}:${name}`, outputs: await announce(parsed, patience, call) };
    },

    async update(_id, olds, news, call) {
      if (changedWords(olds.inputs, news).length === 0) return { outputs: olds.outputs };
      if (call.preview) return { outputs: {} };
      const corrects = olds.outputs["answeredAt"];
      return { outputs: await announce(parseInputs(inputs, news), patience, call, corrects) };
    },
  };
}

/** The inputs that make another announcement of it. */
function changedWords(olds: Properties, news: Properties): string[] {
  return Object.keys(inputs.shape).filter(
    (name) => name !== "url" && !sameProperty(olds[name], news[name]),
  );
}

/** @param corrects when the announcement was made that this one takes the place of */
async function announce(
  parsed: AnnouncementInputs,
  { deadline, firstPause }: Patience,
  call: Call,
  corrects?: unknown,
): Promise<Properties> {
  const { url, dueWithinSeconds, ...said } = parsed;
  const idempotencyKey = digestOf({ ...said, dueWithinSeconds, corrects });
  const { stack, release, name, on, text, plannedCutover } = said;
  const due =
    typeof dueWithinSeconds === "number"
      ? { dueAt: new Date(Date.now() + dueWithinSeconds * 1000).toISOString() }
      : {};
  // Chat services show `text` and pass over the rest.
  const body = { text, name, on, stack, release, plannedCutover, ...due, idempotencyKey };
  const over = AbortSignal.timeout(deadline);
  const signal = AbortSignal.any([over, call.signal]);
  const { ExponentialBackoff, handleWhenResult, retry } = await import("cockatiel");
  const policy = retry(
    handleWhenResult((reply) => mayPass(reply as Reply)),
    { maxAttempts: moreTries, backoff: new ExponentialBackoff({ initialDelay: firstPause }) },
  );
  let tries = 0;
  let last: Reply | undefined;
  try {
    last = await policy.execute(async () => {
      signal.throwIfAborted();
      tries += 1;
      last = await postJson(url, body, { "idempotency-key": idempotencyKey }, signal);
      return last;
    }, signal);
  } catch (error) {
    // A run that was stopped says nothing about the webhook.
    call.signal.throwIfAborted();
    if (!over.aborted) throw error;
    last ??= { failure: "no answer" };
  }
  if (isAnswered(last)) {
    return { answeredAt: new Date().toISOString(), status: last.status, ...due };
  }
  throw new RefusedError(failureText(parsed, last, tries, deadline / 1000));
}

function isAnswered(reply: Reply): reply is { readonly status: number } {
  return "status" in reply && reply.status >= 200 && reply.status < 300;
}

/** Whether the same request may be answered well a moment later. */
function mayPass(reply: Reply): boolean {
  return !("status" in reply) || reply.status === 429 || reply.status >= 500;
}

/** What holds while an announcement fails. */
const standing: Readonly<Record<AnnouncementMoment, string>> = {
  "lower-ttl": "Nothing behind this step was changed.",
  freeze: "Writes are not frozen and traffic was not moved.",
  live: "The release serves and writes are open. Only its record is not written yet.",
  rollback: "The rollback is done and serves. Only its record is not written yet.",
};

function failureText(
  { name, on }: AnnouncementInputs,
  reply: Reply,
  tries: number,
  seconds: number,
): string {
  const found = "status" in reply ? statusText(reply.status) : reply.failure;
  return [
    `announcement ${name} was not taken by its webhook.`,
    standing[on],
    `found:    ${found}, after ${String(tries)} ${tries === 1 ? "try" : "tries"}`,
    `required: a status 2xx within ${String(seconds)} s`,
    "to do:    mend the receiver, or set another address with",
    `          pulumi config set --secret --path 'cutover:webhooks.${name}'`,
    "          and run pulumi up again; what was announced is not announced twice",
  ].join("\n");
}

function statusText(status: number): string {
  const isRedirect = status >= 300 && status < 400;
  return `status ${String(status)}${isRedirect ? ", a redirect, which is not followed" : ""}`;
}
