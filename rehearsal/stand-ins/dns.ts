import { createSocket, type RemoteInfo, type Socket } from "node:dgram";
import { once } from "node:events";
import { randomInt } from "node:crypto";
import * as packet from "dns-packet";
import type { DecodedPacket, Packet, Question, SoaAnswer, StringAnswer } from "dns-packet";
import { exchange } from "../../infra/provider/dns-exchange.ts";

/** A record as the zone's owner set it. `ttl` 1 stands for automatic. */
export interface ZoneRecord {
  readonly name: string;
  readonly type: string;
  readonly content: string;
  readonly ttl: number;
  readonly proxied: boolean;
}

/** A name server that answers until it is closed. */
export interface NameServer {
  /** `address:port`, UDP. */
  readonly server: string;
  close(): Promise<void>;
}

/** Types of records that the name server serves. */
export const servedTypes = ["A", "AAAA", "CNAME"] as const;

/**
 * Starts the name server in charge of the records. It reads them at each question, so a change counts at once, and
 * answers with their full TTL.
 */
export function startAuthoritative(
  address: string,
  records: () => readonly ZoneRecord[],
): Promise<NameServer> {
  return serve(address, (query) => Promise.resolve(fromZone(query, records())));
}

/**
 * Starts a resolver that asks another name server and keeps what it says. Answers, also those that there is nothing,
 * are kept for their TTL in scaled time: 60 s at a scale of 600 are 0.1 s. It tells the TTL that is left.
 *
 * @param clockScale how much faster than the wall the rehearsal's clock runs
 */
export function startCaching(
  address: string,
  upstream: string,
  clockScale: number,
): Promise<NameServer> {
  const cache = new Map<string, Kept>();
  const secondsNow = (): number => (performance.now() / 1000) * clockScale;
  return serve(address, async (query) => {
    const [question] = query.questions ?? [];
    if (question === undefined) return { code: "FORMERR" };
    const key = `${question.type} ${question.name.toLowerCase()}`;
    const kept = cache.get(key);
    if (kept !== undefined && kept.until > secondsNow()) return aged(kept, secondsNow());
    const reply = await askUpstream(question, upstream);
    const asked = secondsNow();
    const seconds = keepSeconds(reply);
    if (seconds > 0) cache.set(key, { reply, asked, until: asked + seconds });
    else cache.delete(key);
    return { ...reply, authoritative: false };
  });
}

// What Cloudflare answers for automatic and for proxied records, and the negative TTL of its zones.
const automaticSeconds = 300;
const negativeSeconds = 1800;
const upstreamMilliseconds = 1000;
const maxAliases = 8;

interface Reply {
  readonly code: "NOERROR" | "NXDOMAIN" | "FORMERR" | "SERVFAIL" | "NOTIMP" | "REFUSED";
  readonly authoritative?: boolean;
  readonly answers?: readonly StringAnswer[];
  /** Name of the zone whose start-of-authority record goes with an answer that there is nothing. */
  readonly zone?: string;
}

interface Kept {
  readonly reply: Reply;
  readonly asked: number;
  readonly until: number;
}

// https://www.iana.org/assignments/dns-parameters: response codes.
const codes: Readonly<Record<Reply["code"], number>> = {
  NOERROR: 0,
  FORMERR: 1,
  SERVFAIL: 2,
  NXDOMAIN: 3,
  NOTIMP: 4,
  REFUSED: 5,
};

async function serve(
  address: string,
  answer: (query: DecodedPacket) => Promise<Reply>,
): Promise<NameServer> {
  const socket = createSocket("udp4");
  socket.on("message", (message, from) => {
    void respond(socket, message, from, answer);
  });
  // What cannot be delivered is like a lost packet.
  socket.on("error", () => undefined);
  socket.bind({ address, port: 0, exclusive: true });
  await once(socket, "listening");
  return {
    server: `${address}:${String(socket.address().port)}`,
    async close() {
      const closed = once(socket, "close");
      socket.close();
      await closed;
    },
  };
}

async function respond(
  socket: Socket,
  message: Buffer,
  from: RemoteInfo,
  answer: (query: DecodedPacket) => Promise<Reply>,
): Promise<void> {
  const query = decode(message);
  // Answering answers, or what is not DNS at all, lets two servers talk to each other for ever.
  if (query === undefined || query.type !== "query") return;
  const reply = await judge(query, answer).catch((): Reply => ({ code: "SERVFAIL" }));
  try {
    socket.send(encode(query, reply), from.port, from.address);
  } catch {
    // Closed meanwhile, or a name that cannot be written: to the client a lost packet.
  }
}

function decode(message: Buffer): DecodedPacket | undefined {
  try {
    return packet.decode(message);
  } catch {
    return undefined;
  }
}

async function judge(
  query: DecodedPacket,
  answer: (query: DecodedPacket) => Promise<Reply>,
): Promise<Reply> {
  const { opcode } = query as { opcode?: string };
  if (opcode !== undefined && opcode !== "QUERY") return { code: "NOTIMP" };
  if (query.questions?.length !== 1) return { code: "FORMERR" };
  return answer(query);
}

function encode(query: DecodedPacket, reply: Reply): Buffer {
  const { answers = [], zone, code, authoritative = false } = reply;
  const recursion = packet.RECURSION_DESIRED & (query.flags ?? 0);
  const response: Packet = {
    type: "response",
    ...(query.id === undefined ? {} : { id: query.id }),
    flags:
      codes[code] |
      recursion |
      (authoritative ? packet.AUTHORITATIVE_ANSWER : packet.RECURSION_AVAILABLE),
    ...(query.questions === undefined ? {} : { questions: query.questions }),
    answers: [...answers],
    authorities: zone === undefined ? [] : [startOfAuthority(zone)],
  };
  return packet.encode(response);
}

function startOfAuthority(zone: string): SoaAnswer {
  return {
    type: "SOA",
    name: zone,
    ttl: negativeSeconds,
    data: {
      mname: `ns.${zone}`,
      rname: `hostmaster.${zone}`,
      serial: 1,
      refresh: 10_000,
      retry: 2400,
      expire: 604_800,
      minimum: negativeSeconds,
    },
  };
}

function fromZone(query: DecodedPacket, records: readonly ZoneRecord[]): Reply {
  const [question] = query.questions ?? [];
  if (question === undefined) return { code: "FORMERR" };
  const zone = zoneOf(question.name);
  const answers: StringAnswer[] = [];
  let name = question.name.toLowerCase();
  for (let alias = 0; alias < maxAliases; alias += 1) {
    const here = records.filter((record) => record.name.toLowerCase() === name);
    answers.push(...here.filter(({ type }) => type === question.type).map(answerOf));
    const next = here.find(({ type }) => type === "CNAME");
    if (next === undefined || question.type === "CNAME") {
      // A name that only has others below it exists as well.
      const exists = here.length > 0 || records.some((record) => isBelow(record.name, name));
      const code = exists || answers.length > 0 ? "NOERROR" : "NXDOMAIN";
      const found = answers.some(({ type }) => type === question.type);
      return { code, authoritative: true, answers, ...(found ? {} : { zone }) };
    }
    answers.push(answerOf(next));
    name = next.content.toLowerCase();
  }
  return { code: "SERVFAIL", authoritative: true };
}

function answerOf({ name, type, content, ttl, proxied }: ZoneRecord): StringAnswer {
  return {
    name,
    type: type as StringAnswer["type"],
    ttl: proxied || ttl === 1 ? automaticSeconds : ttl,
    data: content,
  };
}

function isBelow(name: string, parent: string): boolean {
  return name.toLowerCase().endsWith(`.${parent}`);
}

/** The zone that a name is in, taken to have two labels, as in `example.com`. */
function zoneOf(name: string): string {
  return name.toLowerCase().split(".").slice(-2).join(".");
}

async function askUpstream(question: Question, upstream: string): Promise<Reply> {
  const id = randomInt(0x1_0000);
  const message = packet.encode({ type: "query", id, questions: [question] });
  const response = packet.decode(await exchange(message, upstream, upstreamMilliseconds));
  const { rcode } = response as { rcode?: string };
  const code = Object.keys(codes).find((each) => each === rcode) as Reply["code"] | undefined;
  const [authority] = response.authorities ?? [];
  return {
    code: code ?? "SERVFAIL",
    answers: (response.answers ?? []) as StringAnswer[],
    ...(authority?.type === "SOA" ? { zone: authority.name } : {}),
  };
}

function keepSeconds({ code, answers = [], zone }: Reply): number {
  if (code !== "NOERROR" && code !== "NXDOMAIN") return 0;
  const seconds = answers.map(({ ttl }) => ttl ?? 0);
  if (zone !== undefined) seconds.push(negativeSeconds);
  return seconds.length === 0 ? 0 : Math.min(...seconds);
}

function aged({ reply, asked }: Kept, now: number): Reply {
  const age = Math.floor(now - asked);
  return {
    ...reply,
    authoritative: false,
    answers: (reply.answers ?? []).map((answer) => ({
      ...answer,
      ttl: Math.max(0, (answer.ttl ?? 0) - age),
    })),
  };
}
