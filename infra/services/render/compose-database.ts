import type { ContainerDatabaseConfig } from "../../databases/config.ts";
import { confined, required, type ComposeService } from "./compose-service.ts";

/** What the database is called in a Compose file. */
export const databaseService = "postgres";

/** The variable of the database's password. */
export const passwordVariable = "POSTGRES_PASSWORD";

/**
 * The PostgreSQL server of a Compose file.
 *
 * @param published whether other hosts reach it
 */
export function composeDatabase(
  system: string,
  { image, name, username, memoryMib, address, port }: ContainerDatabaseConfig,
  published: boolean,
): ComposeService {
  return {
    image,
    restart: "unless-stopped",
    environment: {
      POSTGRES_DB: name,
      POSTGRES_USER: username,
      [passwordVariable]: required(passwordVariable),
    },
    ...(published ? { ports: [`${address}:${port}:5432`] } : { expose: ["5432"] }),
    healthcheck: {
      test: ["CMD", "pg_isready", "-q", "-h", "127.0.0.1", "-U", username, "-d", name],
      interval: "1s",
      timeout: "2s",
      retries: 3,
      start_period: "60s",
    },
    // Longer than a checkpoint: a server that is killed has to recover when it starts.
    stop_grace_period: "120s",
    mem_limit: `${memoryMib}m`,
    memswap_limit: `${memoryMib * 2}m`,
    shm_size: "128m",
    read_only: true,
    tmpfs: ["/tmp:size=64m", "/var/run/postgresql:size=16m"],
    ...confined,
    // Its entry point makes the data folder its own and becomes the user postgres.
    cap_add: ["CHOWN", "DAC_OVERRIDE", "FOWNER", "SETGID", "SETUID"],
    networks: [system],
    // Images before PostgreSQL 18 keep their data in /var/lib/postgresql/data, which lies in it.
    volumes: [`${databaseService}:/var/lib/postgresql`],
  };
}
