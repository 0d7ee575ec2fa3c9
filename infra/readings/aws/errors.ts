import { codeOf } from "../../provider/error-text.ts";
import { ReadingError } from "../reading.ts";

/** What the SDK says about an error. */
interface Failure {
  readonly name: string;
  /** The system's code, such as `ECONNREFUSED`; empty when it has none. */
  readonly code: string;
  readonly message: string;
  /** HTTP status; undefined when there was no answer. */
  readonly status: number | undefined;
  /** Whether the answer was an error in the service's own protocol. */
  readonly isService: boolean;
}

/** One class of errors. What is said of it leaves out what AWS says, which may name accounts and more. */
interface ErrorClass {
  readonly holds: (failure: Failure) => boolean;
  readonly text: (action: string, failure: Failure) => string;
  readonly again?: true;
}

const nameRegion = 'To do: name it as "region" of the reading or in AWS_REGION';

/** The first one that holds counts. */
const errorClasses: readonly ErrorClass[] = [
  {
    holds: ({ name }) => name === "AbortError",
    text: (action) => `AWS did not answer ${action} in time`,
    again: true,
  },
  {
    holds: ({ name }) => /^(Credentials|Token)Provider/.test(name),
    text: () =>
      "there are no AWS credentials. To do: sign in, or set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY",
  },
  {
    holds: ({ message, status }) => status === undefined && message === "Region is missing",
    text: (action) => `there is no AWS region to ask ${action} in. ${nameRegion}`,
  },
  {
    holds: ({ code }) => /^(ECONN|ENOTFOUND|EAI_AGAIN|EPIPE|ETIMEDOUT|EHOST|ENET)/.test(code),
    text: (action, { code }) => `AWS cannot be reached to ask ${action} (${code})`,
    again: true,
  },
  {
    holds: ({ status = 0 }) => status >= 500,
    text: (action, { status = 0 }) => `AWS failed to answer ${action} (status ${status})`,
    again: true,
  },
  {
    holds: ({ name, status }) =>
      status === 429 || /Throttl|TooManyRequests|RequestLimitExceeded|SlowDown/.test(name),
    text: (action) => `AWS has too many requests to answer ${action}`,
    again: true,
  },
  {
    holds: ({ isService, status }) => !isService && status !== undefined,
    text: (action, { status = 0 }) =>
      `what answers ${action} does not speak its protocol (status ${status}). To do: check AWS_ENDPOINT_URL and proxies`,
  },
  {
    holds: ({ name }) =>
      /^(UnrecognizedClient|InvalidClientTokenId|InvalidAccessKeyId|InvalidToken|ExpiredToken|SignatureDoesNotMatch|InvalidSignature|IncompleteSignature|MissingAuthenticationToken|AuthFailure|RequestExpired|RequestTimeTooSkewed)/.test(
        name,
      ),
    text: (action, failure) =>
      `AWS does not accept the credentials to ask ${action}${named(failure)}. To do: sign in again, and check this machine's clock`,
  },
  {
    holds: ({ name, status }) => status === 301 || name === "AuthorizationHeaderMalformed",
    text: (action) => `${action} must be asked in another AWS region. ${nameRegion}`,
  },
  {
    holds: ({ name, status }) =>
      status === 403 || /^(AccessDenied|UnauthorizedOperation|AuthorizationError)/.test(name),
    text: (action) =>
      `AWS denies ${action}. To do: allow the run's credentials this action${
        // AWS Backup answers so for a vault that does not exist.
        action.startsWith("backup:") ? ", and check that the vault exists" : ""
      }`,
  },
];

const otherError: ErrorClass = {
  holds: () => true,
  text: (action, failure) => `AWS cannot be asked ${action}${named(failure)}`,
};

/**
 * Says why AWS could not be asked, and what to do.
 *
 * @param action IAM's name for what was asked, such as `rds:DescribeDBInstances`
 */
export function readingError(action: string, error: unknown): ReadingError {
  if (error instanceof ReadingError) return error;
  const failure = failureOf(error);
  const { text, again = false } = errorClasses.find(({ holds }) => holds(failure)) ?? otherError;
  // The SDK's error holds the whole answer, so it is no cause.
  return new ReadingError(text(action, failure), { again });
}

function failureOf(error: unknown): Failure {
  const { name, message, $fault, $metadata } = error as Error & {
    readonly $fault?: unknown;
    readonly $metadata?: { readonly httpStatusCode?: number };
  };
  return {
    name,
    code: codeOf(error) ?? "",
    message,
    status: $metadata?.httpStatusCode,
    isService: $fault !== undefined,
  };
}

/** The error's own word for itself, where it can be nothing else. */
function named({ name, code }: Failure): string {
  const word = [code, name].find((one) => /^[A-Za-z]\w{2,63}$/.test(one));
  return word === undefined ? "" : ` (${word})`;
}
