import { z } from "zod";
import { shownName } from "../checks/names.ts";
import { judgeRows, rowsAsked, rowsText } from "../checks/rows.ts";
import { inconclusive, type Reason } from "../gate.ts";
import { resourcesKind } from "../kind.ts";
import { unknownPath } from "../values.ts";

/**
 * The inputs of the declared resources of a type are as they must be. Only what is asked is read, so an input that is
 * unknown until the update closes the gate only where the checklist asks about it.
 */
export const resourcesShow = resourcesKind({
  kind: "resources-show",
  title: "The declared resources of a type are as they must be.",
  judges: "resources",
  requires: z.strictObject({
    type: z
      .string()
      .max(256)
      .regex(
        /^[\w-]+:[\w/-]+:\w+$/,
        "a Pulumi type token such as aws:cloudwatch/metricAlarm:MetricAlarm",
      )
      .describe("the Pulumi type token of the resources"),
    ...rowsAsked,
  }),
  required: ({ type, ...asked }) => rowsText(asked, wordsFor(type)),
  judge: (seen, { type, ...asked }, { facts, now }) => {
    const declared = seen.ofType(type);
    const leftOut = declared.filter(({ props }) => Object.keys(props).length === 0);
    if (leftOut.length > 0) return leftOut.map(({ name }) => judgeLeftOut(name));
    let atHand = "";
    const rows = declared.map(({ name, props }) => ({
      name,
      get value(): unknown {
        atHand = name;
        return props;
      },
    }));
    try {
      return judgeRows(rows, asked, wordsFor(type), { facts, now });
    } catch (error) {
      const path = unknownPath(error);
      if (path === undefined) throw error;
      return [judgeUnknown(atHand, shownName(path))];
    }
  },
});

/** The engine shows a new resource that `--target` or `--exclude` leaves out without any inputs. */
function judgeLeftOut(name: string): Reason {
  return inconclusive(`${shownName(name)}: this run leaves it out`, {
    required: "a run of the whole program",
    remedy: "run it again without --target and --exclude",
  });
}

function judgeUnknown(name: string, path: string): Reason {
  return inconclusive(`${shownName(name)}: ${path} is unknown until the update`, {
    required: "a plain value, known before the update",
    remedy: `give ${path} a value that no other resource computes`,
  });
}

/** The words for one resource of a type and for several. */
function wordsFor(type: string): readonly [one: string, many: string] {
  const short = type.slice(type.lastIndexOf(":") + 1);
  return [`declared ${short}`, `declared ${short} resources`];
}
