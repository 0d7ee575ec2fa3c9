import { defineGate, fail, inconclusive, type Reason } from "../../gate.ts";
import type { Seen, Sighting } from "../../run.ts";
import { isText, listOf, plain, readName, shown, unknownPath } from "../../values.ts";

const topicType = "aws:sns/topic:Topic";
const subscriptionType = "aws:sns/topicSubscription:TopicSubscription";

/**
 * An alarm tells somebody. The ARN of a topic that is about to be made is unknown in its first preview; there a declared
 * topic with a declared subscription stands for it, and the update, which knows the ARN, judges the alarm itself.
 */
export const alarmHasReceiver = defineGate({
  id: "alarm-has-receiver",
  about: "relation",
  nouns: ["alarms"],
  requires: "Every alarm tells a topic that somebody has subscribed to.",
  because: "What goes wrong after the cutover would be seen by nobody.",
  severity: "high",
  required: "actionsEnabled is true, and an alarm action with a receiver",
  remedy: "name somebody in cutover:alarms.receivers",
  judge: (alarm, seen) => {
    const { actionsEnabled } = alarm.props;
    return [
      ...(actionsEnabled === true ? [] : [fail(`actionsEnabled is ${shown(actionsEnabled)}`)]),
      ...judgeActions(alarm, seen),
    ];
  },
});

function judgeActions(alarm: Sighting, seen: Seen): readonly Reason[] {
  const actions = actionsOf(alarm);
  if (actions === "unknown") {
    if (seen.ofType(topicType).some(isThere) && seen.ofType(subscriptionType).some(isThere)) {
      return [];
    }
    return [inconclusive("its topic is not made yet, and none with a subscription is declared")];
  }
  const arns = actions.filter(isText);
  if (arns.length === 0) return [fail("it has no alarm action")];
  return arns.some((arn) => isHeard(arn, seen))
    ? []
    : [fail("nobody has subscribed to the topic that it tells")];
}

function actionsOf({ props }: Sighting): readonly unknown[] | "unknown" {
  try {
    return listOf(plain(props["alarmActions"]));
  } catch (error) {
    if (unknownPath(error) !== undefined) return "unknown";
    throw error;
  }
}

/** Who hears an action that the stack does not declare, such as a topic of others, is not for it to say. */
function isHeard(arn: string, seen: Seen): boolean {
  const isOurs = seen.ofType(topicType).some((topic) => {
    const name = readName(topic, "name");
    return typeof name === "object" && arn.endsWith(`:${name.name}`);
  });
  return (
    !isOurs ||
    seen.ofType(subscriptionType).some((subscription) => {
      const topic = readName(subscription, "topic");
      return typeof topic === "object" && topic.name === arn;
    })
  );
}

/** The engine shows a new resource that `--target` or `--exclude` leaves out without any inputs. */
function isThere({ props }: Sighting): boolean {
  return Object.keys(props).length > 0;
}
