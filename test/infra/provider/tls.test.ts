import { generate } from "selfsigned";
import { afterAll, beforeAll, expect, test } from "vitest";
import { withSession, type Connection } from "../../../infra/provider/postgres-session.ts";
import { eventually } from "../../support/eventually.ts";
import { startPostgres, type TestConnection, type TestPostgres } from "../../support/postgres.ts";

let postgres: TestPostgres;
let connection: TestConnection;
let ca: string;
let otherCa: string;

beforeAll(async () => {
  postgres = await startPostgres();
  connection = await postgres.createDatabase();
  const { cert, private: key } = await certificate();
  ca = cert;
  otherCa = (await certificate()).cert;
  await putServerFile("server.crt", cert);
  await putServerFile("server.key", key);
  // As on RDS: whoever does not encrypt is not let in.
  await putServerFile("pg_hba.conf", "hostssl all all all scram-sha-256");
  await postgres.query(postgres.superuser, "ALTER SYSTEM SET ssl = on");
  await postgres.query(postgres.superuser, "SELECT pg_reload_conf()");
  await eventually(() => encrypted({ tlsCa: ca }));
});
afterAll(() => postgres.stop());

test("a connection with the server's CA is encrypted", async () => {
  expect(await encrypted({ tlsCa: ca })).toBe(true);
});

test("a server that another CA vouches for is refused", async () => {
  await expect(encrypted({ tlsCa: otherCa })).rejects.toThrow(
    /cannot reach database .*certificate/is,
  );
});

test("a server that wants TLS says which key to set", async () => {
  await expect(encrypted({})).rejects.toThrow(/To do: set cutover:database\.caFile/);
});

async function encrypted(tls: Pick<Connection, "tlsCa">): Promise<boolean | undefined> {
  return withSession({ ...connection, ...tls }, { purpose: "test" }, async (session) => {
    const [row] = await session.rows<{ ssl: boolean }>(
      "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()",
    );
    return row?.ssl;
  });
}

function certificate() {
  return generate([{ name: "commonName", value: "127.0.0.1" }], {
    algorithm: "sha256",
    extensions: [{ name: "subjectAltName", altNames: [{ type: 7, ip: "127.0.0.1" }] }],
  });
}

/** Writes a file into the cluster's folder as its own user, readable to nobody else. */
async function putServerFile(name: string, text: string): Promise<void> {
  const [row] = await postgres.query<{ data_directory: string }>(
    postgres.superuser,
    "SHOW data_directory",
  );
  const path = `${row?.data_directory ?? ""}/${name}`;
  await postgres.query(
    postgres.superuser,
    `COPY (SELECT regexp_split_to_table('${text.trim()}', '\\r?\\n'))
     TO PROGRAM 'umask 077; cat > "${path}"'`,
  );
}
