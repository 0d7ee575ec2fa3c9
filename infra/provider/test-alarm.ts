import { randomUUID } from "node:crypto";
import type { CloudWatchClient, MetricAlarm, StateValue } from "@aws-sdk/client-cloudwatch";
import { z } from "zod";
import { digestOf } from "../../policies/contract/digest.ts";
import { readingError } from "../readings/aws/errors.ts";
import { firingOf, stillUntold, type Firing } from "./alarm-history.ts";
import { inputFailures, parseInputs } from "./inputs.ts";
import { pause } from "./pause.ts";
import { sameProperty, type Properties } from "./properties.ts";
import { RefusedError, type Call, type ResourceType } from "./resource-type.ts";

const inputs = z.strictObject({
  stack: z.string().min(1),
  release: z.string().min(1),
  /** The name by which CloudWatch knows the alarm. */
  alarm: z.string().min(1).max(255),
  /** Where the alarm is; otherwise where the SDK's configuration says. */
  region: z.string().min(1).nullish(),
  /** Seconds that CloudWatch gets to tell the alarm's receivers. */
  deadlineSeconds: z.number().positive(),
});

/** Inputs of a test alarm. */
type TestAlarmInputs = Readonly<z.infer<typeof inputs>>;

/** The inputs that make another test of it. */
const tested = ["stack", "release", "alarm"] as const;

/**
 * Shows for a release that an alarm reaches somebody: it is set off once, CloudWatch says that it told every one of its
 * actions, and it gets its state back. The outputs say when it went off.
 *
 * It goes off once for a release and alarm: what CloudWatch's history shows as told is not told again. A run that is
 * killed before CloudWatch noted that may set it off twice. What receives it is told that it is a test. What happens
 * behind an SNS topic, such as a subscription that nobody confirmed, CloudWatch does not see.
 *
 * Delete does nothing: who was told was told.
 */
export const testAlarm: ResourceType = testingAlarms({ betweenLooks: 1000 });

/** A {@link testAlarm} with other pauses, milliseconds. */
export function testingAlarms({ betweenLooks }: { readonly betweenLooks: number }): ResourceType {
  return {
    check: (news) => inputFailures(inputs, news),

    diff(olds, news) {
      const diffs = changes(olds.inputs, news);
      return { changes: diffs.length > 0, diffs };
    },

    async create(news, call) {
      if (call.preview) return { id: "", outputs: {} };
      const parsed = parseInputs(inputs, news);
      const { stack, release, alarm } = parsed;
      return {
        id: `${stack}:${release}:${alarm}`,
        outputs: await testOnce(parsed, betweenLooks, call),
      };
    },

    async update(_id, olds, news, call) {
      if (changes(olds.inputs, news).length === 0) return { outputs: olds.outputs };
      if (call.preview) return { outputs: {} };
      return { outputs: await testOnce(parseInputs(inputs, news), betweenLooks, call) };
    },
  };
}

function changes(olds: Properties, news: Properties): string[] {
  return tested.filter((name) => !sameProperty(olds[name], news[name]));
}

/** The state that an alarm had before its test, as the test notes it at the alarm. */
const noted = z.object({ cutoverTest: z.string(), before: z.enum(["OK", "INSUFFICIENT_DATA"]) });

async function testOnce(
  parsed: TestAlarmInputs,
  betweenLooks: number,
  call: Call,
): Promise<Properties> {
  const { stack, release, alarm: name, region, deadlineSeconds } = parsed;
  const { CloudWatchClient } = await import("@aws-sdk/client-cloudwatch");
  const client = new CloudWatchClient(typeof region === "string" ? { region } : {});
  const test = digestOf({ stack, release, alarm: name });
  const over = AbortSignal.timeout(deadlineSeconds * 1000);
  const signal = AbortSignal.any([over, call.signal]);
  try {
    const alarm = await describe(client, name, signal);
    const actions = receiversOf(alarm, name);
    const before = stateBefore(alarm, test);
    const earlier = await firingOf(client, name, test, signal);
    if (earlier !== undefined && stillUntold(earlier, actions).length === 0) {
      if (alarm.StateValue !== before) await setBack(client, name, before, test, call);
      return told(earlier);
    }
    const attempt = randomUUID();
    const reason = `Test of release ${release} of ${stack}, no fault (${test} ${attempt})`;
    const data = JSON.stringify({ cutoverTest: test, before });
    // An alarm tells nobody when it is set to the state that it has.
    if (alarm.StateValue === "ALARM") {
      await setState(client, name, "INSUFFICIENT_DATA", reason, data, signal);
    }
    try {
      await setState(client, name, "ALARM", reason, data, signal);
      return told(await waitForActions(client, parsed, attempt, actions, betweenLooks, signal));
    } finally {
      if (before !== "ALARM") await setBack(client, name, before, test, call);
    }
  } catch (error) {
    call.signal.throwIfAborted();
    if (over.aborted) throw new RefusedError(refusal(parsed, "no word of it in its history"));
    throw error;
  } finally {
    client.destroy();
  }
}

function told({ at }: Firing): Properties {
  return { firedAt: at.toISOString() };
}

async function describe(
  client: CloudWatchClient,
  name: string,
  abortSignal: AbortSignal,
): Promise<MetricAlarm> {
  const { DescribeAlarmsCommand } = await import("@aws-sdk/client-cloudwatch");
  const command = new DescribeAlarmsCommand({ AlarmNames: [name], AlarmTypes: ["MetricAlarm"] });
  const { MetricAlarms = [] } = await asked("cloudwatch:DescribeAlarms", abortSignal, () =>
    client.send(command, { abortSignal }),
  );
  const alarm = MetricAlarms.find(({ AlarmName }) => AlarmName === name);
  if (alarm !== undefined) return alarm;
  throw new RefusedError(
    [
      `alarm ${name} cannot be tested.`,
      `found:    no such alarm in ${await client.config.region()}`,
      "required: an alarm of CloudWatch",
      "to do:    declare it in cutover:alarms.rules, or correct the region",
    ].join("\n"),
  );
}

/** The ARNs that the alarm tells when it goes off. */
function receiversOf({ ActionsEnabled, AlarmActions = [] }: MetricAlarm, name: string): string[] {
  if (ActionsEnabled === true && AlarmActions.length > 0) return AlarmActions;
  throw new RefusedError(
    [
      `alarm ${name} cannot be tested.`,
      `found:    ${ActionsEnabled === true ? "it has no action" : "its actions are switched off"}`,
      "required: an alarm that tells somebody",
      "to do:    run pulumi up, which declares its actions; if it was changed by hand,",
      "          run pulumi refresh first",
    ].join("\n"),
  );
}

/** The state that it is to get back; one that another run's test left behind does not count. */
function stateBefore({ StateValue, StateReasonData }: MetricAlarm, test: string): StateValue {
  if (StateValue !== "ALARM") return StateValue ?? "INSUFFICIENT_DATA";
  const note = noted.safeParse(parsedJson(StateReasonData));
  return note.success && note.data.cutoverTest === test ? note.data.before : "ALARM";
}

async function setState(
  client: CloudWatchClient,
  name: string,
  state: StateValue,
  reason: string,
  data: string,
  abortSignal: AbortSignal,
): Promise<void> {
  const { SetAlarmStateCommand } = await import("@aws-sdk/client-cloudwatch");
  const command = new SetAlarmStateCommand({
    AlarmName: name,
    StateValue: state,
    StateReason: reason,
    StateReasonData: data,
  });
  await asked("cloudwatch:SetAlarmState", abortSignal, () => client.send(command, { abortSignal }));
}

async function waitForActions(
  client: CloudWatchClient,
  parsed: TestAlarmInputs,
  attempt: string,
  actions: readonly string[],
  betweenLooks: number,
  signal: AbortSignal,
): Promise<Firing> {
  for (;;) {
    const firing = await firingOf(client, parsed.alarm, attempt, signal);
    if (firing !== undefined && firing.failed.length > 0) {
      throw new RefusedError(refusal(parsed, firing.failed.join("\n          ")));
    }
    if (firing !== undefined && stillUntold(firing, actions).length === 0) return firing;
    await pause(betweenLooks, signal);
  }
}

/** Milliseconds for the last word; an engine that goes gives 3000. */
const setBackTimeout = 2500;

/** Where it fails, CloudWatch itself sets the state at its next look at the metric. */
async function setBack(
  client: CloudWatchClient,
  name: string,
  before: StateValue,
  test: string,
  call: Call,
): Promise<void> {
  const signal = AbortSignal.timeout(setBackTimeout);
  try {
    const { StateValue, StateReason = "" } = await describe(client, name, signal);
    if (StateValue !== "ALARM" || !StateReason.includes(test)) return;
    const reason = `The test is over (${test})`;
    await setState(client, name, before, reason, "{}", signal);
  } catch {
    call.log(
      "warning",
      `alarm ${name} could not be set back to ${before}; CloudWatch does it when it next looks at its metric`,
    );
  }
}

async function asked<Answer>(
  action: string,
  signal: AbortSignal,
  ask: () => Promise<Answer>,
): Promise<Answer> {
  try {
    return await ask();
  } catch (error) {
    signal.throwIfAborted();
    throw new RefusedError(readingError(action, error).message);
  }
}

function refusal({ alarm, deadlineSeconds }: TestAlarmInputs, found: string): string {
  return [
    `alarm ${alarm} was set off as a test, and did not tell everybody.`,
    `found:    ${found}`,
    `required: CloudWatch tells every action of it within ${String(deadlineSeconds)} s`,
    "to do:    let cloudwatch.amazonaws.com publish to the topic and use its KMS key,",
    "          and run pulumi up again",
  ].join("\n");
}

function parsedJson(text: string | undefined): unknown {
  try {
    return JSON.parse(text ?? "null") as unknown;
  } catch {
    return undefined;
  }
}
