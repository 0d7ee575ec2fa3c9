import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

/** RDS as moto imitates it, but that every instance listens where a real PostgreSQL does. */
export interface RdsServer {
  readonly endpoint: string;
  /** The actions that were asked for, in order, with their parameters. */
  readonly asked: { readonly action: string; readonly given: URLSearchParams }[];
  /** Answers the next request for an action with this error, as many times. */
  refuse(action: string, code: string, times: number): void;
  /** Says of every instance that it is in this state; undefined for what it is in. */
  status: string | undefined;
  /** Knows of no automated snapshots; moto makes one of every instance. */
  hidesAutomated: boolean;
  close(): Promise<void>;
}

export async function startRdsServer(moto: string, port: number): Promise<RdsServer> {
  const asked: RdsServer["asked"] = [];
  const refusals: { readonly action: string; readonly code: string }[] = [];
  const server = createServer((request, response) => {
    void (async () => {
      const chunks: Buffer[] = [];
      for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
      const body = Buffer.concat(chunks);
      const given = new URLSearchParams(body.toString());
      const action = given.get("Action") ?? "";
      asked.push({ action, given });
      const refused = refusals.findIndex((each) => each.action === action);
      if (refused !== -1) {
        const [{ code } = { code: "" }] = refusals.splice(refused, 1);
        response.writeHead(400, { "content-type": "text/xml" });
        response.end(
          `<ErrorResponse><Error><Type>Sender</Type><Code>${code}</Code><Message>not now</Message></Error></ErrorResponse>`,
        );
        return;
      }
      const { host: _host, connection: _connection, ...headers } = request.headers;
      const answer = await fetch(`${moto}${request.url ?? "/"}`, {
        method: request.method ?? "POST",
        headers: headers as Record<string, string>,
        body,
      });
      const text = (await answer.text())
        .replaceAll(
          /<Endpoint>.*?<\/Endpoint>/gs,
          `<Endpoint><Address>127.0.0.1</Address><Port>${String(port)}</Port></Endpoint>`,
        )
        .replaceAll(/<DBSnapshot>.*?<\/DBSnapshot>/gs, (found) =>
          running.hidesAutomated && found.includes("<SnapshotType>automated<") ? "" : found,
        )
        .replaceAll(/<DBInstanceStatus>.*?<\/DBInstanceStatus>/g, (found) =>
          running.status === undefined
            ? found
            : `<DBInstanceStatus>${running.status}</DBInstanceStatus>`,
        );
      response.writeHead(answer.status, { "content-type": "text/xml" });
      response.end(text);
    })();
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port: own } = server.address() as AddressInfo;
  const running: RdsServer = {
    endpoint: `http://127.0.0.1:${String(own)}`,
    asked,
    status: undefined,
    hidesAutomated: false,
    refuse(action, code, times) {
      for (let time = 0; time < times; time += 1) refusals.push({ action, code });
    },
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
  return running;
}
