import { mkdirSync, rmSync } from "node:fs";
import { randomUUID } from "node:crypto";
import { join } from "node:path";
import { z } from "zod";
import type { Properties, ResourceType } from "../../../infra/provider/serve.ts";
import { computedOf, standIn } from "../kind.ts";
import type { Collection, Store } from "../store.ts";
import { CloudflareError, hexId } from "./api.ts";

/** A D1 database, as Cloudflare keeps it. */
interface DatabaseRecord {
  readonly accountId: string;
  readonly name: string;
  readonly createdAt: string;
  readonly inputs: Properties;
}

const databaseInputs = z.strictObject({
  accountId: hexId,
  name: z.string().min(1),
  jurisdiction: z.enum(["eu", "fedramp", "us"]).optional(),
  primaryLocationHint: z.enum(["wnam", "enam", "weur", "eeur", "apac", "oc"]).optional(),
  readReplication: z.strictObject({ mode: z.enum(["auto", "disabled"]) }).optional(),
});

/** The folder for exports of a D1 database. It goes with the database. */
export function exportFolder({ folder }: Store, uuid: string): string {
  return join(folder, "d1", uuid);
}

/** The D1 databases of the account by their id. */
export function databasesOf(store: Store): Collection<DatabaseRecord> {
  return store.collection<DatabaseRecord>("cloudflare-d1-databases");
}

/** D1 databases: names without tables; each has a folder for its exports. */
export function d1DatabaseType(store: Store): ResourceType {
  const databases = databasesOf(store);
  return standIn({
    inputs: databaseInputs,
    replaceOn: (name) => name !== "readReplication",
    physicalName: "name",
    create(inputs) {
      const { accountId, name } = inputs;
      const isTaken = databases
        .items()
        .some((each) => each.accountId === accountId && each.name === name);
      if (isTaken) {
        const message = `Database with name '${name}' already exists`;
        throw new CloudflareError("400 Bad Request", 7502, message);
      }
      const uuid = randomUUID();
      const record = { accountId, name, createdAt: new Date().toISOString(), inputs };
      mkdirSync(exportFolder(store, uuid), { recursive: true });
      databases.set(uuid, record);
      return Promise.resolve({ id: uuid, outputs: outputsOf(uuid, record) });
    },
    update(olds, inputs) {
      const record = databases.get(olds.id);
      if (record === undefined) throw noDatabase(olds.id);
      databases.set(olds.id, { ...record, inputs });
      return Promise.resolve(
        computedOf(olds, ["uuid", "version", "createdAt", "fileSize", "numTables"]),
      );
    },
    exists: ({ id }) => databases.get(id) !== undefined,
    find(path) {
      const [accountId, uuid = "", ...more] = path.split("/");
      const record = databases.get(uuid);
      if (record === undefined || record.accountId !== accountId || more.length > 0) {
        return undefined;
      }
      const { inputs } = record;
      return { id: uuid, inputs, outputs: { ...inputs, ...outputsOf(uuid, record) } };
    },
    delete({ id }) {
      rmSync(exportFolder(store, id), { recursive: true, force: true });
      databases.delete(id);
      return Promise.resolve();
    },
  });
}

function outputsOf(uuid: string, { createdAt }: DatabaseRecord): Properties {
  return { uuid, createdAt, version: "production", fileSize: 0, numTables: 0 };
}

function noDatabase(uuid: string): CloudflareError {
  return new CloudflareError("404 Not Found", 7404, `The database ${uuid} could not be found`);
}
