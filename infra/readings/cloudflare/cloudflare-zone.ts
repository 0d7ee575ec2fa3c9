import { z } from "zod";
import { ReadingError, readingKind } from "../reading.ts";
import { access, askCloudflare, cloudflareId } from "./api.ts";

const target = z.strictObject({
  zoneId: cloudflareId.meta({
    description: "the id of the zone, 32 hexadecimal digits",
    example: "0123456789abcdef0123456789abcdef",
  }),
  names: z
    .array(
      z
        .string()
        .max(253)
        .regex(/^(\*\.)?([\w-]{1,63}\.)+[A-Za-z][\w-]{0,62}$/, {
          error: "required is a full name, with the zone, as in app.example.com",
        }),
    )
    .min(1)
    .max(16)
    .meta({
      description: "the full names whose records are wanted, 1 to 16",
      example: "[app.example.com]",
    }),
  ...access,
});

type Target = z.output<typeof target>;

/** https://developers.cloudflare.com/api/resources/zones/methods/get/ */
const zoneResult = z.object({ name: z.string(), status: z.string(), paused: z.boolean() });

/** https://developers.cloudflare.com/api/resources/dns/subresources/records/methods/list/ */
const recordResult = z.object({
  id: z.string(),
  name: z.string(),
  type: z.string(),
  content: z.string(),
  ttl: z.number(),
  // Types that cannot be proxied do not have it.
  proxied: z.boolean().default(false),
});

type ZoneRecord = z.output<typeof recordResult>;

/** A zone of Cloudflare and the records of some names, as they are before the release changes them. */
export const cloudflareZone = readingKind({
  kind: "cloudflare-zone",
  title: "a zone of Cloudflare and its records",
  target,
  facts: {
    name: "name of the zone",
    status: "its state, active where Cloudflare answers for it",
    paused: "true when Cloudflare only answers for its names, and proxies nothing",
    records:
      "list of the records of the wanted names, sorted, each of `name`, `type`, `content`, `ttl` (seconds; 1 for automatic), `proxied` (true when it is) and `id`",
    missing: "list of the names without any record",
  },
  subject: ({ zoneId }) => zoneId,

  async read(target, { signal }) {
    const [zone, ...found] = await Promise.all([
      ask(target, "", zoneResult, signal),
      ...target.names.map((name) => recordsOf(name, target, signal)),
    ]);
    const records = found.flat();
    const names = new Set(records.map(({ name }) => name.toLowerCase()));
    return {
      ...zone.result,
      records: records.sort((a, b) => (sortKey(a) < sortKey(b) ? -1 : 1)),
      missing: target.names.filter((name) => !names.has(name.toLowerCase())),
    };
  },
});

function ask<Result>(
  { zoneId, tokenEnv, baseUrl }: Target,
  path: string,
  result: z.ZodType<Result>,
  signal: AbortSignal,
): ReturnType<typeof askCloudflare<Result>> {
  return askCloudflare(
    {
      tokenEnv,
      baseUrl,
      path: `/zones/${zoneId}${path}`,
      subject: `zone ${zoneId}`,
      needs: "Zone:Read and DNS:Read",
      result,
    },
    signal,
  );
}

const pageSize = 100;

/** A name has few records; ten full pages of them are taken for a filter that does not work. */
const maxPages = 10;

async function recordsOf(name: string, target: Target, signal: AbortSignal): Promise<ZoneRecord[]> {
  const records: ZoneRecord[] = [];
  for (let page = 1; page <= maxPages; page += 1) {
    const query = new URLSearchParams({
      "name.exact": name,
      per_page: String(pageSize),
      page: String(page),
    });
    const path = `/dns_records?${query.toString()}`;
    const { result, total } = await ask(target, path, z.array(recordResult), signal);
    records.push(...result);
    const all = total === undefined ? result.length < pageSize : records.length >= total;
    if (all) return records.filter((each) => each.name.toLowerCase() === name.toLowerCase());
    if (result.length === 0) break;
  }
  throw new ReadingError(
    `Cloudflare does not list all records of ${name} in ${maxPages} pages of ${pageSize}`,
  );
}

function sortKey({ name, type, content, id }: ZoneRecord): string {
  return JSON.stringify([name, type, content, id]);
}
