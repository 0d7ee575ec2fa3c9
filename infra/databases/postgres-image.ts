/** What a PostgreSQL server in a container is told. */
export interface PostgresSettings {
  /** Name of the database. */
  readonly name: string;
  /** The role that owns it; as the image has it, a superuser. */
  readonly username: string;
  /** PostgreSQL's version, such as `18.1`. */
  readonly engineVersion: string;
  readonly memoryMib: number;
}

/** What the official `postgres` image, or one made from it, needs to run with as few rights as it can. */
export interface PostgresContainer {
  /** Lines `NAME=value`, without the password: `POSTGRES_PASSWORD` is the caller's. */
  readonly envs: readonly string[];
  /**
   * The image's own user, not root: the image then changes no owners and no user, and needs not one capability. A named
   * volume gets the owner that its path has in the image.
   */
  readonly user: string;
  /** Where the volume with the data belongs. */
  readonly dataPath: string;
  /** What it writes to beside its data, by path, with Docker's options. */
  readonly tmpfs: Readonly<Record<string, string>>;
  /** MiB of /dev/shm: parallel queries need more than Docker's 64. It counts as the container's memory. */
  readonly shmMib: number;
  /** Exits with 0 when the server takes connections. Over TCP, because the server that only initialises takes none. */
  readonly healthCommand: readonly string[];
}

/** The port that it listens on inside of its container. */
export const postgresPort = 5432;

/** From this major version on the image keeps its data by version below the volume. https://hub.docker.com/_/postgres */
const versionedDataMajor = 18;
const leastShmMib = 64;

/** How a PostgreSQL container is made, in production and for a restored copy. */
export function postgresContainer(settings: PostgresSettings): PostgresContainer {
  const { name, username, engineVersion, memoryMib } = settings;
  const major = Number(engineVersion.split(".")[0]);
  return {
    envs: [
      `POSTGRES_DB=${name}`,
      `POSTGRES_USER=${username}`,
      "POSTGRES_INITDB_ARGS=--data-checksums --auth-host=scram-sha-256 --auth-local=scram-sha-256",
    ],
    user: "postgres",
    dataPath: major >= versionedDataMajor ? "/var/lib/postgresql" : "/var/lib/postgresql/data",
    tmpfs: { "/tmp": "size=64m", "/var/run/postgresql": "size=1m" },
    shmMib: Math.max(leastShmMib, Math.floor(memoryMib / 4)),
    healthCommand: [
      "pg_isready",
      "--quiet",
      "--host=127.0.0.1",
      `--username=${username}`,
      `--dbname=${name}`,
    ],
  };
}
