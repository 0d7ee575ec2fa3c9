import { isIPv4 } from "node:net";

/**
 * The points of a release at which something is announced: in phase lower-ttl, before the write freeze, once the release
 * is live, and once a rollback is done.
 */
export const announcementMoments = ["lower-ttl", "freeze", "live", "rollback"] as const;

/** A point of a release at which something is announced. */
export type AnnouncementMoment = (typeof announcementMoments)[number];

/** What {@link isWebhookUrl} accepts, in words. */
export const webhookUrlForm =
  "an https URL without user and password; http only to an address in 127.0.0.0/8";

/**
 * Tells whether a text is a URL that announcements may be sent to. A webhook's URL is a secret, so it goes over TLS;
 * only receivers on the same machine, as rehearsals have them, may do without.
 */
export function isWebhookUrl(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const { protocol, hostname, username, password } = new URL(text);
  if (username !== "" || password !== "") return false;
  const isLoopback = isIPv4(hostname) && hostname.startsWith("127.");
  return protocol === "https:" || (protocol === "http:" && isLoopback);
}
