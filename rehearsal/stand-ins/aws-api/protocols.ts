import { randomUUID } from "node:crypto";
import type { z } from "zod";
import { AwsError, notImitated } from "./error.ts";
import type { ApiRequest } from "./request.ts";
import { xmlDocument, type Xml } from "./xml.ts";

/** An answer over HTTP. */
export interface ApiAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | Buffer;
}

/** One service: how it is spoken to, and what it can do. */
export interface ApiService {
  answer(request: ApiRequest): Promise<ApiAnswer>;
  /** An error in the service's protocol. */
  refusal(error: AwsError): ApiAnswer;
}

/** What an operation does with what it was sent. */
export type Operation<Answer> = (input: unknown) => Answer | Promise<Answer>;

/**
 * Makes an operation that takes only what is imitated of it: others are refused by name, because a parameter that is
 * quietly ignored would be rehearsed as if it worked.
 */
export function operation<Input, Answer>(
  name: string,
  input: z.ZodType<Input>,
  run: (input: Input) => Answer | Promise<Answer>,
): Operation<Answer> {
  return async (sent) => {
    const parsed = input.safeParse(sent);
    if (parsed.success) return run(parsed.data);
    const unknown = parsed.error.issues.flatMap((issue) =>
      issue.code === "unrecognized_keys" ? issue.keys : [],
    );
    if (unknown.length > 0) throw notImitated(`${unknown.join(", ")} of ${name}`);
    const [issue] = parsed.error.issues;
    throw new AwsError(
      "ValidationError",
      `${issue?.path.map(String).join(".") ?? name}: ${issue?.message ?? "is invalid"}`,
    );
  };
}

/** A service of the Query protocol: forms in, XML out. https://smithy.io/2.0/aws/protocols/aws-query-protocol.html */
export function queryService(
  name: string,
  namespace: string,
  operations: Readonly<Record<string, Operation<Xml>>>,
): ApiService {
  return {
    async answer({ body }) {
      const form = new URLSearchParams(body.toString());
      const action = form.get("Action") ?? "";
      form.delete("Action");
      form.delete("Version");
      const run = operations[action];
      if (run === undefined) throw notImitated(`${name}:${action}`);
      const result = await run(nested(form));
      const content = {
        [`${action}Result`]: result,
        ResponseMetadata: { RequestId: randomUUID() },
      };
      return xmlAnswer(200, xmlDocument(`${action}Response`, content, namespace));
    },
    refusal: ({ code, message, status }) =>
      xmlAnswer(
        status,
        xmlDocument(
          "ErrorResponse",
          {
            Error: { Type: status >= 500 ? "Receiver" : "Sender", Code: code, Message: message },
            RequestId: randomUUID(),
          },
          namespace,
        ),
      ),
  };
}

/** `Tags.Tag.1.Key` as a tree. */
function nested(form: URLSearchParams): unknown {
  const tree: Record<string, unknown> = {};
  for (const [name, value] of form) {
    const path = name.split(".");
    const last = path.pop() ?? "";
    let place = tree;
    for (const part of path) place = (place[part] ??= {}) as Record<string, unknown>;
    place[last] = value;
  }
  return tree;
}

/** A service of the JSON protocols. https://smithy.io/2.0/aws/protocols/aws-json-1_1-protocol.html */
export function jsonService(
  name: string,
  version: "1.0" | "1.1",
  operations: Readonly<Record<string, Operation<object>>>,
): ApiService {
  const type = { "content-type": `application/x-amz-json-${version}` };
  return {
    async answer({ headers, body }) {
      const action = headers["x-amz-target"]?.split(".").at(-1) ?? "";
      const run = operations[action];
      if (run === undefined) throw notImitated(`${name}:${action}`);
      const result = await run(body.length === 0 ? {} : parsedJson(body));
      return { status: 200, headers: type, body: jsonText(result) };
    },
    refusal: jsonRefusal,
  };
}

/** An error in the JSON protocols. */
export function jsonRefusal({ code, message, status }: AwsError): ApiAnswer {
  return {
    status,
    headers: {
      "content-type": "application/x-amz-json-1.1",
      // Clients of a service that once spoke the Query protocol look for its codes here.
      "x-amzn-query-error": `${code};${status >= 500 ? "Receiver" : "Sender"}`,
    },
    body: jsonText({ __type: code, message }),
  };
}

/** A REST service of JSON. https://smithy.io/2.0/aws/protocols/aws-restjson1-protocol.html */
export function restJsonService(
  name: string,
  routes: readonly (readonly [
    route: RegExp,
    run: (parts: Readonly<Record<string, string>>) => object,
  ])[],
): ApiService {
  const type = { "content-type": "application/json" };
  return {
    answer({ method, path }) {
      for (const [route, run] of routes) {
        const found = route.exec(`${method} ${path}`);
        if (found !== null) {
          const body = jsonText(run({ ...found.groups }));
          return Promise.resolve({ status: 200, headers: type, body });
        }
      }
      throw notImitated(`${name}: ${method} ${path}`);
    },
    refusal: ({ code, message, status }) => ({
      status,
      headers: { ...type, "x-amzn-errortype": code },
      body: jsonText({ message }),
    }),
  };
}

/** An answer of XML. */
export function xmlAnswer(
  status: number,
  body: string,
  headers: Readonly<Record<string, string>> = {},
): ApiAnswer {
  return { status, headers: { "content-type": "text/xml", ...headers }, body };
}

function parsedJson(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString()) as unknown;
  } catch {
    throw new AwsError("SerializationException", "the body is no JSON");
  }
}

/** Times are seconds since 1970 in these protocols. */
function jsonText(value: object): string {
  return JSON.stringify(seconds(value));
}

function seconds(value: unknown): unknown {
  if (value instanceof Date) return value.getTime() / 1000;
  if (Array.isArray(value)) return value.map(seconds);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, seconds(one)]));
}

/** One page of a list. A token is the place of the next entry. */
export function pageOf<Item>(
  items: readonly Item[],
  token: string | undefined,
  size: number,
): { readonly page: readonly Item[]; readonly next: string | undefined } {
  const from = Number(token ?? 0);
  const end = from + size;
  return { page: items.slice(from, end), next: end < items.length ? String(end) : undefined };
}
