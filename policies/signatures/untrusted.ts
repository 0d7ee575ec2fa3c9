import { UnreadableError } from "../contract/json.ts";

/** A document whose signatures do not make it what it claims to be. The message says why and quotes nothing of it. */
export class UntrustedError extends UnreadableError {}
