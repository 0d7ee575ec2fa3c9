import { createSocket, type RemoteInfo, type Socket } from "node:dgram";
import { once } from "node:events";
import { randomInt } from "node:crypto";
import * as packet from "dns-packet";
import type { Answer, DecodedPacket, Packet, Question, SoaAnswer } from "dns-packet";
import { exchange } from "../../infra/provider/dns-exchange.ts";
import { answerFromZone, type Reply, type SentRecord, type ZoneRecord } from "./dns-zone.ts";

export type { ZoneRecord } from "./dns-zone.ts";

/** A name server that answers until it is closed. */
export interface NameServer {
  /** `address:port`, UDP. */
  readonly server: string;
  close(): Promise<void>;
}

/**
 * Starts the name server in charge of the records. It reads them at each question, so a change counts at once, and
 * answers with their full TTL.
 */
export function startAuthoritative(
  address: string,
  records: () => readonly ZoneRecord[],
): Promise<NameServer> {
  return serve(address, (question) => Promise.resolve(answerFromZone(question, records())));
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
  return serve(address, async (question) => {
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

// The negative TTL of Cloudflare's zones.
const negativeSeconds = 1800;
const upstreamMilliseconds = 1000;

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
  answer: (question: Question) => Promise<Reply>,
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
  answer: (question: Question) => Promise<Reply>,
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
  answer: (question: Question) => Promise<Reply>,
): Promise<Reply> {
  const { opcode } = query as { opcode?: string };
  if (opcode !== undefined && opcode !== "QUERY") return { code: "NOTIMP" };
  const [question, ...more] = query.questions ?? [];
  if (question === undefined || more.length > 0) return { code: "FORMERR" };
  return answer(question);
}

function encode(query: DecodedPacket, reply: Reply): Buffer {
  const { answers = [], referral = [], zone, code, authoritative = false } = reply;
  const recursion = packet.RECURSION_DESIRED & (query.flags ?? 0);
  const response: Packet = {
    type: "response",
    ...(query.id === undefined ? {} : { id: query.id }),
    flags:
      codes[code] |
      recursion |
      (authoritative ? packet.AUTHORITATIVE_ANSWER : 0) |
      (authoritative || referral.length > 0 ? 0 : packet.RECURSION_AVAILABLE),
    ...(query.questions === undefined ? {} : { questions: query.questions }),
    answers: asAnswers(answers),
    authorities: zone === undefined ? asAnswers(referral) : [startOfAuthority(zone)],
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

function asAnswers(records: readonly SentRecord[]): Answer[] {
  return records.map((record) => ({ ...record }) as Answer);
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
    answers: (response.answers ?? []) as SentRecord[],
    ...(authority?.type === "SOA" ? { zone: authority.name } : {}),
  };
}

function keepSeconds({ code, answers = [], zone }: Reply): number {
  if (code !== "NOERROR" && code !== "NXDOMAIN") return 0;
  const seconds = answers.map(({ ttl }) => ttl);
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
      ttl: Math.max(0, answer.ttl - age),
    })),
  };
}
