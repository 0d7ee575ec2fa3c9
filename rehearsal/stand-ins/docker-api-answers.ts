import type { PublishedImage } from "../registry/registry.ts";
import type { ContainerRecord } from "./container-record.ts";
import type { Daemon } from "./containers.ts";

const never = "0001-01-01T00:00:00Z";

/** A container as `GET /containers/{id}/json` tells it. */
export function inspected(daemon: Daemon, record: ContainerRecord): object {
  const { id, name, status, envs, command, labels, healthCheck, volumes } = record;
  const running = status === "running";
  const health = daemon.health(id);
  return {
    Id: id,
    Created: record.createdAt,
    Path: command[0] ?? "node",
    Args: command.slice(1),
    State: {
      Status: status,
      Running: running,
      Paused: false,
      Restarting: false,
      OOMKilled: false,
      Dead: false,
      Pid: 0,
      ExitCode: record.exitCode,
      Error: "",
      StartedAt: record.startedAt ?? never,
      FinishedAt: record.finishedAt ?? never,
      ...(healthCheck === undefined
        ? {}
        : { Health: { Status: health ?? "starting", FailingStreak: 0, Log: [] } }),
    },
    Image: record.digest,
    Name: `/${name}`,
    RestartCount: record.restartCount,
    Driver: "overlay2",
    Platform: "linux",
    HostConfig: {
      Memory: 0,
      NanoCpus: 0,
      ReadonlyRootfs: false,
      ...record.settings,
      Privileged: false,
      AutoRemove: record.autoRemove,
      NetworkMode: record.networks[0] ?? "bridge",
      RestartPolicy: { Name: record.restart, MaximumRetryCount: record.maxRetryCount },
      PortBindings: bindings(record),
      Binds: volumes.map((each) => `${each.name}:${each.path}${each.readOnly ? ":ro" : ""}`),
    },
    Mounts: volumes.map((each) => ({
      Type: "volume",
      Name: each.name,
      Source: `/var/lib/docker/volumes/${each.name}/_data`,
      Destination: each.path,
      RW: !each.readOnly,
    })),
    Config: {
      Hostname: id.slice(0, 12),
      Env: envs,
      Cmd: command.length === 0 ? null : command,
      Image: record.image,
      Labels: labels,
      ...(healthCheck === undefined
        ? {}
        : {
            Healthcheck: {
              Test: healthCheck.test,
              Interval: healthCheck.interval * 1e6,
              Timeout: healthCheck.timeout * 1e6,
              Retries: healthCheck.retries,
            },
          }),
    },
    NetworkSettings: {
      Ports: running ? bindings(record) : {},
      Networks: Object.fromEntries(networksOf(record).map((network) => [network, {}])),
    },
  };
}

/** A container as `GET /containers/json` tells it. */
export function listed(daemon: Daemon, record: ContainerRecord): object {
  const { id, name, status, exitCode } = record;
  const health = daemon.health(id);
  const up = health === undefined ? "Up" : `Up (${health})`;
  return {
    Id: id,
    Names: [`/${name}`],
    Image: record.image,
    ImageID: record.digest,
    Command: record.command.join(" "),
    Created: Math.floor(Date.parse(record.createdAt) / 1000),
    Ports: record.ports.map(({ internal, external, ip }) => ({
      IP: ip,
      PrivatePort: internal,
      PublicPort: external,
      Type: "tcp",
    })),
    Labels: record.labels,
    State: status,
    Status: { created: "Created", running: up, exited: `Exited (${exitCode})` }[status],
    HostConfig: { NetworkMode: record.networks[0] ?? "bridge" },
    NetworkSettings: {
      Networks: Object.fromEntries(networksOf(record).map((network) => [network, {}])),
    },
    Mounts: record.volumes.map((each) => ({ Type: "volume", Name: each.name })),
  };
}

/** An image as `GET /images/{name}/json` and, with less in it, `GET /images/json` tell it. */
export function inspectedImage({ image, digest, reference }: PublishedImage): object {
  return {
    Id: digest,
    RepoTags: [`${image.repository}:${image.version}`],
    RepoDigests: [reference],
    Size: JSON.stringify(image).length,
    Architecture: process.arch === "x64" ? "amd64" : process.arch,
    Os: "linux",
    Config: { Env: [], Labels: {} },
  };
}

/** What a pull tells on its way, one object a line. */
export function pullProgress(
  { image, digest, reference }: PublishedImage,
  isNew: boolean,
): readonly object[] {
  const end = isNew ? "Downloaded newer image for" : "Image is up to date for";
  return [
    { status: `Pulling from ${image.repository}`, id: image.version },
    { status: `Digest: ${digest}` },
    { status: `Status: ${end} ${reference}` },
  ];
}

/** What a container has written as the Engine frames it: the stream, three zeros and the length before each part. */
export function framed(text: string): Buffer {
  const bytes = Buffer.from(text);
  const header = Buffer.from([1, 0, 0, 0, 0, 0, 0, 0]);
  header.writeUInt32BE(bytes.length, 4);
  return bytes.length === 0 ? bytes : Buffer.concat([header, bytes]);
}

function networksOf({ networks }: ContainerRecord): readonly string[] {
  return networks.length === 0 ? ["bridge"] : networks;
}

function bindings({ ports }: ContainerRecord): Record<string, object[]> {
  const found: Record<string, object[]> = {};
  for (const { internal, external, ip } of ports) {
    (found[`${internal}/tcp`] ??= []).push({ HostIp: ip, HostPort: `${external}` });
  }
  return found;
}
