import { join } from "node:path";
import {
  startProvider,
  type Properties,
  type ProviderDefinition,
} from "../infra/provider/serve.ts";
import { imagesFolder, openRegistry, type Registry } from "./registry/registry.ts";
import { startAwsApi } from "./stand-ins/aws-api/aws-api.ts";
import { openAws } from "./stand-ins/aws.ts";
import { dnsRecords, openCloudflare } from "./stand-ins/cloudflare.ts";
import { startD1Api } from "./stand-ins/cloudflare/d1-api.ts";
import { startAuthoritative, startCaching } from "./stand-ins/dns.ts";
import { startDockerApi } from "./stand-ins/docker-api.ts";
import { openDocker } from "./stand-ins/docker.ts";
import { openFaults, withFaults, type Faults } from "./stand-ins/faults.ts";
import { appRunner } from "./stand-ins/host/unit-app.ts";
import { claimNetwork, type Network } from "./stand-ins/network.ts";
import { startSshHost, type SshHost } from "./stand-ins/ssh-host.ts";
import { openStore } from "./stand-ins/store.ts";

const region = "us-east-1";

/** How a cloud is started. */
export interface CloudOptions {
  /** Where everything that it remembers is kept. Started again there, it goes on where it was. */
  readonly folder: string;
  /** How much faster than the wall the rehearsal's clock runs: what resolvers keep runs out sooner by it. */
  readonly clockScale: number;
  /** Folder of the images that containers can run as; those of the rehearsal by default. */
  readonly images?: string;
  /** Whether there is a host whose systemd runs services. */
  readonly hasUnits?: boolean;
}

/** The stand-ins of aws, cloudflare and docker, running in this process. */
export interface Cloud {
  /** What makes the engine use them instead of the real providers. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** gRPC ports of the providers by name. */
  readonly ports: Readonly<Record<string, number>>;
  readonly network: Network;
  /** `address:port` of the caching resolver that clients ask. */
  readonly resolver: string;
  /** `address:port` of the name server in charge of the zones. */
  readonly nameServer: string;
  readonly registry: Registry;
  /** Address of the container daemon, as `cutover:hosts` takes it. */
  readonly containerHost: string;
  /** The host whose systemd runs services, reached over SSH at `network.unitHost`; undefined where none was asked for. */
  readonly unitHost: Pick<SshHost, "url" | "provide"> | undefined;
  /** Makes an RDS instance that belongs to no stack, as somebody has made one who had none. */
  makeInstance(inputs: Properties): Promise<void>;
  /** PEM file with the CA of the databases. */
  readonly databaseCaFile: string;
  /** What happens by itself in a night: people put values into new secrets, and RDS takes its automated snapshots. */
  passNight(): Promise<void>;
  /** What can be made to go wrong. */
  readonly faults: Faults;
  /**
   * Ends everything and keeps the folder. Databases and containers end as well when this process dies without it,
   * however it dies.
   */
  close(): Promise<void>;
}

/**
 * Starts the stand-ins. Several can run at once, each in a folder of its own.
 *
 * @throws Error when another process runs one in the same folder, or when this system lacks what they need
 */
export async function startCloud(options: CloudOptions): Promise<Cloud> {
  const ends: (() => Promise<void>)[] = [];
  const close = async (): Promise<void> => {
    for (const end of ends.splice(0).toReversed()) await end();
  };
  try {
    return { ...(await start(options, ends)), close };
  } catch (error) {
    await close();
    throw error;
  }
}

async function start(
  { folder, clockScale, images = imagesFolder, hasUnits = false }: CloudOptions,
  ends: (() => Promise<void>)[],
): Promise<Omit<Cloud, "close">> {
  const store = openStore(folder);
  const claim = await claimNetwork(store);
  const { network } = claim;
  ends.push(() => claim.release());
  const registry = openRegistry(images);
  const records = dnsRecords(store);
  const authoritative = await startAuthoritative(network.dns, () => records.items());
  ends.push(() => authoritative.close());
  const caching = await startCaching(network.dns, authoritative.server, clockScale);
  ends.push(() => caching.close());
  const faultsFolder = join(store.folder, "faults");
  const ports: Record<string, number> = {};
  const serve = async (definition: ProviderDefinition): Promise<void> => {
    const provider = await startProvider(withFaults(definition, faultsFolder));
    ends.push(() => provider.close());
    ports[definition.name] = provider.port;
  };
  // Databases first: containers look for theirs as soon as they start.
  const account = { store, network, clockScale, region };
  const aws = await openAws(account);
  await serve(aws);
  const awsApi = await startAwsApi({ account, aws, address: network.world, region });
  ends.push(() => awsApi.close());
  await serve(openCloudflare(store));
  const d1Api = await startD1Api(store, network.world);
  ends.push(() => d1Api.close());
  const docker = await openDocker(store, registry);
  await serve(docker);
  const dockerApi = await startDockerApi(docker.daemon, store.folder);
  ends.push(() => dockerApi.close());
  const host = hasUnits
    ? await startUnits(join(store.folder, "host"), network, registry)
    : undefined;
  if (host !== undefined) ends.push(() => host.close());
  const attached = Object.entries(ports).map(([name, port]) => `${name}:${port}`);
  return {
    env: {
      PULUMI_DEBUG_PROVIDERS: attached.join(","),
      PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION: "true",
      DOCKER_HOST: dockerApi.host,
      ...awsApi.env,
      ...host?.env,
      ...d1Api.env,
    },
    ports,
    network,
    resolver: caching.server,
    nameServer: authoritative.server,
    registry,
    containerHost: dockerApi.host,
    unitHost: host,
    makeInstance: (inputs) => makeInstance(aws, inputs),
    databaseCaFile: aws.databaseCaFile,
    async passNight() {
      awsApi.fillSecrets();
      await awsApi.backUp();
    },
    faults: openFaults(faultsFolder),
  };
}

function startUnits(folder: string, network: Network, registry: Registry): Promise<SshHost> {
  const { unitHost: address, sshPort: port } = network;
  const runUnit = appRunner(registry, address, folder);
  return startSshHost({ folder, address, port, user: "deploy", runUnit });
}

/** Does what a resource of a stack does, for nobody's stack. */
async function makeInstance({ types }: ProviderDefinition, inputs: Properties): Promise<void> {
  const type = "aws:rds/instance:Instance";
  await types[type]?.create(inputs, {
    urn: "",
    name: String(inputs["identifier"]),
    type,
    preview: false,
    signal: new AbortController().signal,
    timeoutSeconds: 0,
    log: () => undefined,
  });
}
