import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import {
  CloudWatchClient,
  DescribeAlarmsCommand,
  PutMetricAlarmCommand,
  SetAlarmStateCommand,
  type MetricAlarm,
  type StateValue,
} from "@aws-sdk/client-cloudwatch";
import { afterAll, beforeEach, describe, expect, onTestFinished, test } from "vitest";
import { testingAlarms } from "../../../infra/provider/test-alarm.ts";
import { testAlarmType } from "../../../infra/provider/type-tokens.ts";
import { failureOf, serveTypes, unknownText, type Wire } from "../../support/engine.ts";
import { awsEnvironment, startMoto } from "../../support/moto.ts";
import { useAws } from "../readings/aws/aws.ts";

const moto = await startMoto();
afterAll(() => moto.close());

const target = { type: testAlarmType, name: "errors" };
const topic = "arn:aws:sns:eu-central-1:123456789012:flagship-alarms";
const pager = "arn:aws:sns:eu-central-1:123456789012:flagship-alarms-pager";
const iso = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;

/** What CloudWatch says of an action that it was to tell; nothing while it has not. */
type Tell = (action: string) => string | undefined;

const well: Tell = (action) => `Successfully executed action ${action}`;
const denied: Tell = (action) => `Failed to execute action ${action}. Received error: "no key"`;

/** What answers in place of CloudWatch: moto, which has no history, with a history. */
interface CloudWatch {
  /** The states that were set, in order. */
  readonly set: StateValue[];
  /** Newest first. */
  readonly history: HistoryItem[];
  tell: Tell;
  /** An action that is denied. */
  refuse: string | undefined;
}

interface HistoryItem {
  readonly HistoryItemType: "StateUpdate" | "Action";
  readonly Timestamp: number;
  readonly HistorySummary: string;
  readonly HistoryData: string;
}

let cloudWatch: CloudWatch;
let alarm: string;
let count = 0;

beforeEach(async () => {
  count += 1;
  alarm = `flagship-errors-${count}`;
  cloudWatch = await startCloudWatch();
});

describe("a test of an alarm", () => {
  test.each(["OK", "INSUFFICIENT_DATA"] as const)(
    "sets it off from %s, sees its actions told and sets it back",
    async (state) => {
      await create(state);
      const { id, outputs } = await run();
      expect(id).toBe(`flagship/production:v1.1.0:${alarm}`);
      expect(outputs["firedAt"]).toMatch(iso);
      expect(cloudWatch.set).toEqual(["ALARM", state]);
      expect((await described()).StateValue).toBe(state);
    },
  );

  test("of one that is in alarm sets it off anew, without a word that it was over", async () => {
    await create("ALARM");
    await run();
    expect(cloudWatch.set).toEqual(["INSUFFICIENT_DATA", "ALARM"]);
    expect((await described()).StateValue).toBe("ALARM");
  });

  test("says in its reason what it is, so that nobody gets up for it", async () => {
    await create("OK");
    await run();
    expect(JSON.stringify(cloudWatch.history)).toContain(
      "Test of release v1.1.0 of flagship/production, no fault",
    );
  });

  test("waits for every action", async () => {
    await create("OK", [topic, pager]);
    let asked = 0;
    cloudWatch.tell = (action) => {
      if (action === topic) return well(action);
      asked += 1;
      return asked < 3 ? undefined : well(action);
    };
    await run();
    expect(asked).toBeGreaterThanOrEqual(3);
  });

  test("is done once for a release: a second one reads that it was", async () => {
    await create("OK");
    const first = await run();
    const second = await run();
    expect(second).toEqual(first);
    expect(cloudWatch.set).toEqual(["ALARM", "OK"]);
  });

  test("is done again for another release", async () => {
    await create("OK");
    await run();
    await run({ release: "v1.2.0" });
    expect(cloudWatch.set).toEqual(["ALARM", "OK", "ALARM", "OK"]);
  });

  test("is done again when it did not tell everybody", async () => {
    await create("OK");
    cloudWatch.tell = denied;
    await failed();
    cloudWatch.tell = well;
    await run();
    expect(cloudWatch.set).toEqual(["ALARM", "OK", "ALARM", "OK"]);
  });

  test.each([
    ["before its actions were told", () => undefined],
    ["after its actions were told", well],
  ] as const)("of a run that was killed %s is set back to what was before", async (_, tell) => {
    await create("OK");
    cloudWatch.tell = tell;
    await run({ deadlineSeconds: 0.2 }).catch(() => undefined);
    // What such a run leaves behind is what this one had set before it set the alarm back.
    cloudWatch.history.splice(0, 1);
    const { newState } = JSON.parse(
      cloudWatch.history.find((item) => item.HistoryItemType === "StateUpdate")?.HistoryData ?? "",
    ) as { newState: { stateReason: string; stateReasonData: string } };
    await atMoto((client) =>
      client.send(
        new SetAlarmStateCommand({
          AlarmName: alarm,
          StateValue: "ALARM",
          StateReason: newState.stateReason,
          StateReasonData: newState.stateReasonData,
        }),
      ),
    );
    cloudWatch.tell = well;
    const { outputs } = await run();
    expect(outputs["firedAt"]).toMatch(iso);
    expect((await described()).StateValue).toBe("OK");
  });
});

describe("is refused:", () => {
  test("an alarm that is not there", async () => {
    expect(await failed()).toBe(
      [
        `alarm ${alarm} cannot be tested.`,
        "found:    no such alarm in eu-central-1",
        "required: an alarm of CloudWatch",
        "to do:    declare it in cutover:alarms.rules, or correct the region",
      ].join("\n"),
    );
  });

  test.each([
    ["its actions are switched off", [topic], false],
    ["it has no action", [], true],
  ])("%s", async (found, actions, enabled) => {
    await create("OK", actions, enabled);
    expect(await failed()).toContain(`found:    ${found}\n`);
    expect(cloudWatch.set).toEqual([]);
  });

  test("an action that could not be told, and the alarm is set back all the same", async () => {
    await create("OK", [topic, pager]);
    cloudWatch.tell = (action) => (action === pager ? denied(action) : well(action));
    const message = await failed();
    expect(message).toContain(`found:    ${denied(pager) ?? ""}\n`);
    expect(message).toContain("to do:    let cloudwatch.amazonaws.com publish to the topic");
    expect((await described()).StateValue).toBe("OK");
  });

  test("an action of another name that begins alike", async () => {
    await create("OK", [topic]);
    cloudWatch.tell = () => well(pager);
    expect(await failed({ deadlineSeconds: 0.2 })).toContain("found:    no word of it");
  });

  test("silence until the deadline, and the alarm is set back all the same", async () => {
    await create("OK");
    cloudWatch.tell = () => undefined;
    const message = await failed({ deadlineSeconds: 0.2 });
    expect(message).toContain("found:    no word of it in its history\n");
    expect(message).toContain("within 0.2 s");
    expect((await described()).StateValue).toBe("OK");
  });

  test.each(["DescribeAlarms", "DescribeAlarmHistory", "SetAlarmState"])(
    "credentials that may not %s, by the action's name",
    async (action) => {
      await create("OK");
      cloudWatch.refuse = action;
      const message = await failed();
      expect(message).toContain(`AWS denies cloudwatch:${action}`);
      expect(message).not.toContain("canary");
    },
  );
});

test("a cancelled run sets the alarm back", async () => {
  await create("OK");
  const engine = await serve();
  cloudWatch.tell = () => {
    void engine.cancel();
    return undefined;
  };
  await failureOf(engine.create(target, inputs({ deadlineSeconds: 30 })));
  expect((await described()).StateValue).toBe("OK");
});

describe("in a preview", () => {
  test("nothing is set off", async () => {
    await create("OK");
    const engine = await serve();
    await engine.create(target, inputs(), { preview: true });
    const olds = { inputs: inputs(), outputs: {} };
    await engine.update(target, olds, inputs({ release: "v1.2.0" }), { preview: true });
    expect(cloudWatch.set).toEqual([]);
  });

  test("an unknown name is not judged", async () => {
    const engine = await serve();
    expect(await engine.check(target, inputs({ alarm: unknownText }))).toEqual([]);
  });
});

test("check names what is wrong", async () => {
  const engine = await serve();
  const failures = await engine.check(target, { ...inputs(), alarm: "", deadlineSeconds: 0 });
  expect(failures.map(({ property }) => property).sort()).toEqual(["alarm", "deadlineSeconds"]);
});

test("an update to another release sets it off, and one to another deadline does not", async () => {
  await create("OK");
  const { outputs } = await run();
  const engine = await serve();
  const olds = { inputs: inputs(), outputs };
  const same = await engine.update(target, olds, inputs({ deadlineSeconds: 5 }));
  expect(same.outputs).toEqual(outputs);
  const next = await engine.update(target, olds, inputs({ release: "v1.2.0" }));
  expect(next.outputs["firedAt"]).not.toBe(outputs["firedAt"]);
  expect(cloudWatch.set).toEqual(["ALARM", "OK", "ALARM", "OK"]);
});

test.each([
  ["another release", { release: "v1.2.0" }, ["release"]],
  ["another deadline", { deadlineSeconds: 1 }, []],
  ["another region", { region: "eu-west-1" }, []],
])("%s is a change of %j", async (_, change, diffs) => {
  const olds = { inputs: inputs(), outputs: {} };
  const found = await (await serve()).diff(target, olds, inputs(change));
  expect(found).toMatchObject({ changes: diffs.length > 0, replaces: [], diffs });
});

function serve(): ReturnType<typeof serveTypes> {
  return serveTypes({ [testAlarmType]: testingAlarms({ betweenLooks: 5 }) });
}

function inputs(more: Wire = {}): Wire {
  return { stack: "flagship/production", release: "v1.1.0", alarm, deadlineSeconds: 10, ...more };
}

async function run(more?: Wire): Promise<{ readonly id: string; readonly outputs: Wire }> {
  return (await serve()).create(target, inputs(more));
}

async function failed(more?: Wire): Promise<string> {
  return (await failureOf(run(more))).message;
}

/** Makes the alarm, in this state, at moto itself: the history begins with the test. */
async function create(
  state: StateValue,
  actions: readonly string[] = [topic],
  enabled = true,
): Promise<void> {
  await atMoto(async (client) => {
    await client.send(
      new PutMetricAlarmCommand({
        AlarmName: alarm,
        MetricName: "Errors",
        Namespace: "Flagship",
        Statistic: "Sum",
        Period: 60,
        EvaluationPeriods: 1,
        Threshold: 1,
        ComparisonOperator: "GreaterThanThreshold",
        ActionsEnabled: enabled,
        AlarmActions: [...actions],
      }),
    );
    const set = { AlarmName: alarm, StateValue: state, StateReason: "canary" };
    await client.send(new SetAlarmStateCommand(set));
  });
}

async function described(): Promise<MetricAlarm> {
  const { MetricAlarms = [] } = await atMoto((client) =>
    client.send(new DescribeAlarmsCommand({ AlarmNames: [alarm] })),
  );
  return MetricAlarms[0] as MetricAlarm;
}

async function atMoto<Answer>(ask: (client: CloudWatchClient) => Promise<Answer>): Promise<Answer> {
  const client = new CloudWatchClient({ endpoint: moto.endpoint });
  try {
    return await ask(client);
  } finally {
    client.destroy();
  }
}

async function startCloudWatch(): Promise<CloudWatch> {
  const state: CloudWatch = { set: [], history: [], tell: well, refuse: undefined };
  /** Actions that were set off and not yet told. */
  let untold: string[] = [];
  const note = (item: Omit<HistoryItem, "Timestamp">): void => {
    state.history.unshift({ ...item, Timestamp: Date.now() / 1000 });
  };
  const tellAll = (): void => {
    untold = untold.filter((action) => {
      const summary = state.tell(action);
      if (summary === undefined) return true;
      note({ HistoryItemType: "Action", HistorySummary: summary, HistoryData: "{}" });
      return false;
    });
  };
  const server: Server = createServer((request, response) => {
    void (async () => {
      const body = await text(request);
      const action = String(request.headers["x-amz-target"]).split(".").at(-1) ?? "";
      if (action === state.refuse) {
        const denial = { __type: "AccessDeniedException", message: "canary" };
        response.writeHead(403).end(JSON.stringify(denial));
        return;
      }
      if (action === "DescribeAlarmHistory") {
        tellAll();
        response.end(JSON.stringify({ AlarmHistoryItems: state.history }));
        return;
      }
      const { headers, method } = request;
      const answer = await fetch(moto.endpoint, {
        method: method ?? "POST",
        headers: Object.fromEntries(
          ["x-amz-target", "content-type", "authorization", "x-amz-date"].map((name) => [
            name,
            String(headers[name]),
          ]),
        ),
        body,
      });
      if (action === "SetAlarmState") {
        const asked = JSON.parse(body) as Record<string, string>;
        const old = state.history.find((item) => item.HistoryItemType === "StateUpdate");
        const newState = {
          stateValue: asked["StateValue"],
          stateReason: asked["StateReason"],
          stateReasonData: asked["StateReasonData"],
        };
        const oldState = (JSON.parse(old?.HistoryData ?? "{}") as { newState?: object }).newState;
        state.set.push(asked["StateValue"] as StateValue);
        note({
          HistoryItemType: "StateUpdate",
          HistorySummary: `Alarm updated to ${asked["StateValue"] ?? ""}`,
          HistoryData: JSON.stringify({ version: "1.0", oldState, newState }),
        });
        untold = asked["StateValue"] === "ALARM" ? ((await described()).AlarmActions ?? []) : [];
      }
      response.writeHead(answer.status).end(await answer.text());
    })();
  });
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  useAws(awsEnvironment(`http://127.0.0.1:${String(port)}`));
  return state;
}
