import { once } from "node:events";
import { isIP } from "node:net";
import {
  checkServerIdentity,
  connect,
  type DetailedPeerCertificate,
  type TLSSocket,
} from "node:tls";
import { z } from "zod";
import { codeOf } from "../../provider/error-text.ts";
import { readCertificate } from "../credentials.ts";
import { ReadingError, readingKind } from "../reading.ts";

const target = z.strictObject({
  host: z.union([z.hostname(), z.ipv4(), z.ipv6()]).meta({
    description: "the host whose certificate is wanted: a name or an IP address",
    example: "app.example.com",
  }),
  port: z.int().min(1).max(65_535).default(443).meta({
    description: "the port that speaks TLS from the first byte",
    example: "443",
  }),
  address: z.union([z.ipv4(), z.ipv6()]).optional().meta({
    description: "the IP address to connect to, whatever DNS says",
    example: "192.0.2.1",
  }),
  connectPort: z.int().min(1).max(65_535).optional().meta({
    description: "the port to connect to in place of the usual one, as behind a tunnel",
    example: "8443",
  }),
  caFile: z.string().min(1).optional().meta({
    description:
      "a PEM file with the authorities to trust in place of those that Node.js knows, from the project's top",
    example: "internal-ca.pem",
  }),
});

type Target = z.output<typeof target>;

/** The certificate that a server shows, good or bad. */
export const tlsCertificate = readingKind({
  kind: "tls-certificate",
  title: "the certificate that a server shows",
  target,
  facts: {
    authorized:
      "true when its chain leads to an authority that is trusted and every link is valid now",
    authorizationError:
      "what is wrong with its chain, as a code of Node.js such as CERT_HAS_EXPIRED; null when nothing is",
    hostMatches: "true when it is for this host",
    protocol: "version of TLS, such as TLSv1.3",
    subjectAltNames: "list of the names and addresses that it is for, the first 100",
    issuer: "who issued it, such as CN=Example CA",
    validFrom: "ISO 8601, when it begins to be valid",
    validTo: "ISO 8601, when it ends",
    daysLeft: "whole days until it ends, negative when it ended",
    chainLength: "how many certificates there are from this one up, as far as they are known",
  },
  subject: ({ host, port }) => (port === 443 ? host : `${host}:${port}`),

  async read(target, { signal, now }) {
    const { caFile, host } = target;
    const ca = caFile === undefined ? undefined : await readCertificate(caFile, host);
    const socket = await handshake(target, ca, signal);
    try {
      const certificate = socket.getPeerCertificate(true);
      if (Object.keys(certificate).length === 0) {
        throw new ReadingError(`${placeOf(target)} shows no certificate`);
      }
      return {
        authorized: socket.authorized,
        authorizationError: socket.authorized ? null : errorCodeOf(socket),
        hostMatches: checkServerIdentity(host, certificate) === undefined,
        protocol: socket.getProtocol(),
        ...described(certificate, now),
      };
    } finally {
      socket.destroy();
    }
  },
});

async function handshake(
  target: Target,
  ca: string | undefined,
  signal: AbortSignal,
): Promise<TLSSocket> {
  const { host, port, connectPort = port, address = host } = target;
  const socket = connect({
    host: address,
    port: connectPort,
    // An IP address is no server name: RFC 6066, 3.
    servername: isIP(host) === 0 ? host : "",
    // A bad certificate is what is to be told.
    rejectUnauthorized: false,
    // Told apart from the chain, by `hostMatches`.
    checkServerIdentity: () => undefined,
    ...(ca === undefined ? {} : { ca }),
  });
  // A server that wants more, such as a client's certificate, may still end the connection.
  socket.on("error", () => undefined);
  try {
    await once(socket, "secureConnect", { signal });
    return socket;
  } catch (error) {
    socket.destroy();
    const code = codeOf(error) ?? "no reason given";
    throw new ReadingError(`no TLS connection to ${placeOf(target)}: ${code}`, {
      again: true,
      cause: error,
    });
  }
}

function placeOf({ host, port, address }: Target): string {
  return `${host}:${port}${address === undefined ? "" : ` at ${address}`}`;
}

/** Node has the code itself here, though its types say an error. */
function errorCodeOf({ authorizationError }: TLSSocket): string {
  const error: unknown = authorizationError;
  return typeof error === "string" ? error : (codeOf(error) ?? "unknown");
}

const dayMilliseconds = 86_400_000;
const maxNames = 100;

function described(certificate: DetailedPeerCertificate, now: Date) {
  const validTo = new Date(certificate.valid_to);
  return {
    subjectAltNames: namesOf(certificate.subjectaltname ?? ""),
    issuer: Object.entries(certificate.issuer)
      .map(([key, value]) => `${key}=${[value].flat().join("+")}`)
      .join(", "),
    validFrom: new Date(certificate.valid_from).toISOString(),
    validTo: validTo.toISOString(),
    daysLeft: Math.floor((validTo.getTime() - now.getTime()) / dayMilliseconds),
    chainLength: chainLength(certificate),
  };
}

/** Node writes a name with a comma or quote in quotes; such a name is for no host. */
function namesOf(text: string): string[] {
  const names = text.split(", ").map((each) => /^(?:DNS|IP Address):([^"]+)$/.exec(each)?.[1]);
  return names.filter((each) => each !== undefined).slice(0, maxNames);
}

/** The root names itself as its issuer. */
function chainLength(certificate: DetailedPeerCertificate): number {
  const seen = new Set<string>();
  let each: DetailedPeerCertificate | undefined = certificate;
  while (each !== undefined && !seen.has(each.fingerprint256)) {
    seen.add(each.fingerprint256);
    // Node's types do not say that the issuer may be unknown.
    each = each.issuerCertificate as DetailedPeerCertificate | undefined;
  }
  return seen.size;
}
