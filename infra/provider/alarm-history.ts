import type { AlarmHistoryItem, CloudWatchClient } from "@aws-sdk/client-cloudwatch";
import { z } from "zod";
import { readingError } from "../readings/aws/errors.ts";
import { RefusedError } from "./resource-type.ts";

/** An alarm that went off, as CloudWatch's history tells it. */
export interface Firing {
  readonly at: Date;
  /** What CloudWatch says of actions that were told since, and of those that were not. */
  readonly told: readonly string[];
  readonly failed: readonly string[];
}

/** Pages of 100 entries, newest first: an alarm that flutters more than this since its test is not looked through. */
const mostPages = 10;

/**
 * The newest time that an alarm went off for a reason that contains a mark; undefined when the history has none.
 *
 * @throws RefusedError when the history cannot be read
 */
export async function firingOf(
  client: CloudWatchClient,
  alarm: string,
  mark: string,
  abortSignal: AbortSignal,
): Promise<Firing | undefined> {
  const { paginateDescribeAlarmHistory } = await import("@aws-sdk/client-cloudwatch");
  const pages = paginateDescribeAlarmHistory(
    { client, pageSize: 100 },
    { AlarmName: alarm, ScanBy: "TimestampDescending" },
    { abortSignal },
  );
  const since: AlarmHistoryItem[] = [];
  let count = 0;
  try {
    for await (const { AlarmHistoryItems = [] } of pages) {
      count += 1;
      for (const item of AlarmHistoryItems) {
        if (wentOff(item, mark)) return firing(item.Timestamp ?? new Date(0), since);
        since.push(item);
      }
      if (count === mostPages) return undefined;
    }
  } catch (error) {
    abortSignal.throwIfAborted();
    throw new RefusedError(readingError("cloudwatch:DescribeAlarmHistory", error).message);
  }
  return undefined;
}

/** The actions that a firing has not told. */
export function stillUntold({ told, failed }: Firing, actions: readonly string[]): string[] {
  if (failed.length > 0) return [...actions];
  return actions.filter((action) => !told.some((summary) => summary.split(/\s/).includes(action)));
}

const stateUpdate = z.object({
  newState: z.object({ stateValue: z.literal("ALARM"), stateReason: z.string() }),
});

/** The update that ends a test names its mark too, as what was before: so only the new state counts. */
function wentOff({ HistoryItemType, HistoryData }: AlarmHistoryItem, mark: string): boolean {
  if (HistoryItemType !== "StateUpdate") return false;
  try {
    const { data } = stateUpdate.safeParse(JSON.parse(HistoryData ?? "null"));
    return data?.newState.stateReason.includes(mark) ?? false;
  } catch {
    return false;
  }
}

function firing(at: Date, since: readonly AlarmHistoryItem[]): Firing {
  const summaries = since
    .filter(({ HistoryItemType }) => HistoryItemType === "Action")
    .map(({ HistorySummary = "" }) => HistorySummary);
  const told = summaries.filter((summary) => summary.startsWith("Successfully executed action"));
  return { at, told, failed: summaries.filter((summary) => !told.includes(summary)) };
}
