import { alarmHasReceiver } from "../../../../policies/gates/alarms/alarm-has-receiver.ts";
import {
  another,
  set,
  testGate,
  unknown,
  unset,
  without,
  type Change,
} from "../../../support/gate-tester.ts";

const actions = "alarm.alarmActions";
const topicArn = "arn:aws:sns:eu-central-1:123456789012:orders-alarms";
const otherArn = "arn:aws:sns:eu-central-1:123456789012:others";

/** The first preview: nothing that the topic computes is known. */
const notMade: readonly Change[] = [set(actions, [unknown]), set("subscription.topic", unknown)];

/** A resource that `--target` leaves out, as the engine shows it. */
function leftOut(name: string): Change {
  return ({ resources }) => {
    const resource = resources[name];
    if (resource === undefined) throw new Error(`no sample ${name}`);
    resource.props = {};
  };
}

testGate(alarmHasReceiver, {
  needs: ["alarm.actionsEnabled"],
  names: ["alarm.name"],
  mayRead: [actions, "topic.name", "subscription.topic"],
  passes: {
    "a topic that is not made yet": notMade,
    "a list that is not known yet": [...notMade, set(actions, unknown)],
    "a topic of somebody else": [set(actions, [otherArn])],
    "one topic that is heard of two": [set(actions, [otherArn, topicArn]), without("subscription")],
    "a topic whose name begins alike": [
      set(actions, [`${topicArn}-pager`]),
      without("subscription"),
    ],
    "a name that is not known yet": [set("topic.name", unknown)],
    "no alarm": [set("facts.covers.alarms", []), without("alarm")],
  },
  fails: {
    "actions switched off": [
      [set("alarm.actionsEnabled", false)],
      "fail",
      "alarm orders-errors: actionsEnabled is false",
    ],
    "no action": [[unset(actions)], "fail", "alarm orders-errors: it has no alarm action"],
    "an empty list": [[set(actions, [])], "fail", "alarm orders-errors: it has no alarm action"],
    "an empty text": [[set(actions, [""])], "fail", "alarm orders-errors: it has no alarm action"],
    "a number": [[set(actions, [7])], "fail", "alarm orders-errors: it has no alarm action"],
    "nobody subscribed": [
      [without("subscription")],
      "fail",
      "alarm orders-errors: nobody has subscribed to the topic that it tells",
    ],
    "somebody subscribed to another topic": [
      [set("subscription.topic", otherArn)],
      "fail",
      "alarm orders-errors: nobody has subscribed to the topic that it tells",
    ],
    "a subscription of a topic that is not known, to an alarm that is": [
      [set("subscription.topic", unknown)],
      "fail",
      "alarm orders-errors: nobody has subscribed to the topic that it tells",
    ],
    "a topic not made yet, and nobody subscribed": [
      [...notMade, without("subscription")],
      "inconclusive",
      "alarm orders-errors: its topic is not made yet, and none with a subscription is declared",
    ],
    "an action not known yet, and no topic": [
      [...notMade, without("topic")],
      "inconclusive",
      "alarm orders-errors: its topic is not made yet, and none with a subscription is declared",
    ],
    "a topic not made yet, whose subscription this run leaves out": [
      [...notMade, leftOut("subscription")],
      "inconclusive",
      "alarm orders-errors: its topic is not made yet, and none with a subscription is declared",
    ],
    "an alarm that this run leaves out": [
      [leftOut("alarm")],
      "fail",
      "alarm alarm: actionsEnabled is not set",
    ],
    "a second alarm that tells nobody": [
      [another("alarm", { name: "second", alarmActions: [] })],
      "fail",
      "alarm second: it has no alarm action",
    ],
    "no alarm, though it is covered": [
      [without("alarm")],
      "inconclusive",
      "alarm orders-errors: no declared alarm carries this name",
    ],
  },
});
