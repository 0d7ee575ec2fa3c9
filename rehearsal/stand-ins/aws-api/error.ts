import { ApiError } from "../kind.ts";

/** A refusal in an AWS API's words, as its protocols carry it. */
export class AwsError extends Error {
  /** The service's word for it, such as `NoSuchBucket`. */
  readonly code: string;
  /** HTTP status. */
  readonly status: number;

  constructor(code: string, message: string, status = 400) {
    super(message);
    this.code = code;
    this.status = status;
  }
}

/** What is said of an operation or a parameter that is not imitated. */
export function notImitated(what: string): AwsError {
  return new AwsError(
    "NotImplemented",
    `the rehearsal does not imitate ${what}. To do: leave it out, or teach it to rehearsal/stand-ins/aws-api`,
    501,
  );
}

/** An error as the wire carries it. A refusal of a stand-in keeps its code; any other is a fault of the rehearsal. */
export function awsErrorOf(error: unknown): AwsError {
  if (error instanceof AwsError) return error;
  const message = error instanceof Error ? error.message : String(error);
  if (error instanceof ApiError) {
    const [, code = "ValidationError", text = message] =
      /^operation error [^,]+, ([\w.]+): (.*)$/s.exec(message) ?? [];
    return new AwsError(code, text, /NotFound/.test(code) ? 404 : 400);
  }
  return new AwsError("InternalFailure", message, 500);
}
