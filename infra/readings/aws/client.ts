import { z } from "zod";
import { ReadingError, type ReadingContext } from "../reading.ts";
import { readingError } from "./errors.ts";

/** Where a reading asks; otherwise where the SDK's configuration says. */
export const region = z
  .string()
  .regex(/^[a-z]+(-[a-z]+)+-\d+$/, "must be the name of an AWS region")
  .optional()
  .meta({ description: "the AWS region; otherwise AWS_REGION", example: "eu-central-1" });

/** Pages of one list, each of 100 to 1000 entries; a longer list is refused, because its end may change the answer. */
const mostPages = 100;

/** What every client of the SDK has. */
interface AwsClient {
  readonly config: {
    readonly region: () => Promise<string>;
    readonly credentials: () => Promise<unknown>;
  };
  destroy(): void;
}

/** What every client of the SDK is made with. Credentials, region and endpoint come from the SDK's configuration. */
interface ClientOptions {
  /** Whoever reads asks again by itself. */
  readonly maxAttempts: 1;
  readonly region?: string;
}

interface CallOptions {
  readonly abortSignal: AbortSignal;
}

/** A client for one reading, and how to ask it. An action is IAM's name for it, such as `rds:DescribeDBInstances`. */
export interface Aws<Client> {
  readonly client: Client;
  /** @throws ReadingError */
  readonly ask: <Answer>(
    action: string,
    call: (options: CallOptions) => Promise<Answer>,
  ) => Promise<Answer>;
  /**
   * Asks for what may not exist.
   *
   * @param absent names of the errors that say so
   * @returns undefined when it does not exist
   * @throws ReadingError
   */
  readonly find: <Answer>(
    action: string,
    absent: readonly string[],
    call: (options: CallOptions) => Promise<Answer>,
  ) => Promise<Answer | undefined>;
  /**
   * Asks for all entries of a list, at most 100 pages.
   *
   * @throws ReadingError, also for a longer list
   */
  readonly list: <Page, Entry>(
    action: string,
    pages: (options: CallOptions) => AsyncIterable<Page>,
    entries: (page: Page) => readonly Entry[] | undefined,
  ) => Promise<readonly Entry[]>;
  /** Says that a thing does not exist in the region that was asked. */
  readonly absent: (thing: string) => Promise<ReadingError>;
}

/** Reads with a client of one's own, which is destroyed afterwards. */
export async function withAws<Client extends AwsClient, Facts>(
  create: (options: ClientOptions) => Client,
  target: { readonly region?: string | undefined },
  { signal }: ReadingContext,
  read: (aws: Aws<Client>) => Promise<Facts>,
): Promise<Facts> {
  const client = create({
    maxAttempts: 1,
    ...(target.region === undefined ? {} : { region: target.region }),
  });
  const ask: Aws<Client>["ask"] = async (action, call) => {
    try {
      return await call({ abortSignal: signal });
    } catch (error) {
      throw readingError(action, error);
    }
  };
  try {
    // Otherwise a role that may not be assumed would look like a denial of what is asked.
    await ask("sts:AssumeRole", () => client.config.credentials());
    return await read({
      client,
      ask,
      find: (action, absent, call) =>
        ask(action, async (options) => {
          try {
            return await call(options);
          } catch (error) {
            if (error instanceof Error && absent.includes(error.name)) return undefined;
            throw error;
          }
        }),
      list: (action, pages, entries) =>
        ask(action, async (options) => {
          const all = [];
          let count = 0;
          for await (const page of pages(options)) {
            count += 1;
            if (count > mostPages) {
              throw new ReadingError(
                `${action} lists more than ${mostPages} pages, which is the most`,
              );
            }
            all.push(...(entries(page) ?? []));
          }
          return all;
        }),
      absent: async (thing) =>
        new ReadingError(`there is no ${thing} in ${await client.config.region()}`),
    });
  } finally {
    client.destroy();
  }
}

/** A time as a fact; null where AWS says none. */
export function timeFact(time: Date | undefined): string | null {
  return time === undefined || Number.isNaN(time.getTime()) ? null : time.toISOString();
}

/** A count or an age as a fact; null where AWS says none, or what can be none. */
export function numberFact(number: number | undefined): number | null {
  return number === undefined || !Number.isFinite(number) || number < 0 ? null : number;
}

/** The latest of the complete entries, or of all where none is complete; undefined for an empty list. */
export function latest<Entry>(
  entries: readonly Entry[],
  time: (entry: Entry) => Date | undefined,
  isComplete: (entry: Entry) => boolean,
): Entry | undefined {
  const complete = entries.filter(isComplete);
  const order = (entry: Entry): number => time(entry)?.getTime() ?? 0;
  return (complete.length > 0 ? complete : entries).toSorted((a, b) => order(b) - order(a))[0];
}

/** The name at the end of an ARN. */
export function nameInArn(arn: string | undefined): string | undefined {
  return arn?.split(/[:/]/).at(-1);
}
