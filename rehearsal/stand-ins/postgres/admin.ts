import { Client } from "pg";

/** Where a database server listens, and the password of its `rdsadmin`, the superuser that only the cloud has. */
export interface ServerSettings {
  readonly address: string;
  readonly port: number;
  readonly adminPassword: string;
}

/** Works in a session of `rdsadmin`, which ends with the work. */
export async function asAdmin<Result>(
  { address, port, adminPassword }: ServerSettings,
  work: (client: Client) => Promise<Result>,
): Promise<Result> {
  const client = new Client({
    host: address,
    port,
    user: "rdsadmin",
    password: adminPassword,
    database: "postgres",
    connectionTimeoutMillis: 5000,
  });
  // Without a listener a connection that the server ends would end this process.
  client.on("error", () => undefined);
  // A client that never connected must not be ended: that waits for ever.
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}
